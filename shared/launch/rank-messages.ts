import { z } from "zod";
import { ENGINE_WISHES } from "../engine-name.js";
import { RankSchema, WorkerIdSchema } from "../ids.js";
import { LOG_LEVELS } from "../logger.js";

const whole = z.number().int().nonnegative();

/** Where a run's ranks find their coordinator; told to all by rank 0. */
export const MeetingPointSchema = z.strictObject({
  kind: z.literal("meet"),
  /** Of the control links. */
  coordinatorEndpoint: z.string(),
  token: z.string().min(1),
  /** Of the lifelines: a path of a unix socket, or an address. */
  lifeline: z.union([z.strictObject({ path: z.string() }), z.strictObject({ host: z.string(), port: whole })]),
  /** For the ranks' own sockets; null: they are on several hosts. */
  socketFolder: z.string().nullable(),
  logLevel: z.enum(LOG_LEVELS),
  engine: z.enum(ENGINE_WISHES),
  threads: whole,
});
export type MeetingPoint = z.infer<typeof MeetingPointSchema>;

/** The run ended before there was anything to meet for; told to all by rank 0. */
export const NoMeetingSchema = z.strictObject({ kind: z.literal("end"), exitCode: whole });
export const RendezvousSchema = z.discriminatedUnion("kind", [MeetingPointSchema, NoMeetingSchema]);
export type Rendezvous = z.infer<typeof RendezvousSchema>;

/** Process of rank 0 → the coordinator that it started, over the pipe between parent and child. */
export const ToCoordinatorProcessSchema = z.strictObject({ kind: z.literal("signal"), signal: z.string() });
export type ToCoordinatorProcess = z.infer<typeof ToCoordinatorProcessSchema>;

/** A rank's process → coordinator, over its lifeline: one JSON object per line. */
export const FromRankSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("here"),
    token: z.string(),
    rank: RankSchema,
    workerId: WorkerIdSchema,
    host: z.string(),
    pid: whole,
    /** What this rank's clock shows as it says so, in milliseconds since 1970. */
    clockMs: whole,
  }),
  /** It was told by a signal to save the state and end, as the pods of a node that is cleared are: a matter of the whole run. */
  z.strictObject({ kind: z.literal("signal"), signal: z.string() }),
  /** Its work is over, with what it would exit with if it were alone; it waits for the run's exit code. */
  z.strictObject({ kind: z.literal("done"), exitCode: whole, lastWords: z.string().nullable() }),
]);
export type FromRank = z.infer<typeof FromRankSchema>;

/** Coordinator → a rank's process, over its lifeline. */
export const ToRankSchema = z.discriminatedUnion("kind", [
  /** It is known now: it may join. */
  z.strictObject({ kind: z.literal("welcome") }),
  /** The run is over, and all has been said about it. */
  z.strictObject({ kind: z.literal("exit"), exitCode: whole }),
]);
export type ToRank = z.infer<typeof ToRankSchema>;
