import { z } from "zod";

declare const brand: unique symbol;
/** A plain value that only its own constructor may produce. Costs nothing at run time. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

export type JobId = Brand<string, "JobId">;
export type WorkerId = Brand<string, "WorkerId">;
/** Zero-based index of a worker in one generation of its group: 0 ≤ rank < worldSize. */
export type Rank = Brand<number, "Rank">;
/** Zero-based logical rank, fixed for the whole job: 0 ≤ replica < replicas. Numerics depend on replicas, never on ranks. */
export type Replica = Brand<number, "Replica">;
/** Rises by one at every change of membership; frames of an older generation are dropped. */
export type Generation = Brand<number, "Generation">;

const whole = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

export const JobIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,128}$/)
  .transform((value) => value as JobId);
export const WorkerIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,200}$/)
  .transform((value) => value as WorkerId);
export const RankSchema = whole.transform((value) => value as Rank);
export const ReplicaSchema = whole.transform((value) => value as Replica);
export const GenerationSchema = whole.transform((value) => value as Generation);
