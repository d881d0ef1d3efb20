import { z } from "zod";
import { ENGINE_WISHES } from "../engine-name.js";
import { RankSchema, WorkerIdSchema } from "../ids.js";
import { LOG_LEVELS } from "../logger.js";

const whole = z.number().int().nonnegative();
const nonce = z.string().regex(/^[0-9a-f]{32}$/);
const proof = z.string().regex(/^[0-9a-f]{64}$/);

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

/** Of the messages over lifelines. */
export const LIFELINE_VERSION = 2;

/** Coordinator → whoever connects to a lifeline, first of all: show that you have the run's token. One JSON object per line, as all of these. */
export const LifelineChallengeSchema = z.strictObject({
  kind: z.literal("challenge"),
  version: z.literal(LIFELINE_VERSION),
  nonce,
});
export type LifelineChallenge = z.infer<typeof LifelineChallengeSchema>;

/** The process of a rank. */
export const RankIdentitySchema = z.strictObject({
  rank: RankSchema,
  workerId: WorkerIdSchema,
  host: z.string(),
  pid: whole,
  /** What this rank's clock shows as it says so, in milliseconds since 1970. */
  clockMs: whole,
});
export type RankIdentity = z.infer<typeof RankIdentitySchema>;

/** A rank's process → coordinator: its answer to the challenge, and who it is. */
export const RankHereSchema = RankIdentitySchema.extend({ kind: z.literal("here"), nonce, proof });
export type RankHere = z.infer<typeof RankHereSchema>;

/** Coordinator → a rank's process: it is known now, and may join. */
export const RankWelcomeSchema = z.strictObject({ kind: z.literal("welcome"), proof });
export type RankWelcome = z.infer<typeof RankWelcomeSchema>;

/** What a rank says of its end is cut to so many characters. */
export const LAST_WORDS_CHARACTERS = 2000;

/** A rank's process → coordinator, once it is welcome, signed by {@link LifelineWords}. */
export const FromRankSchema = z.discriminatedUnion("kind", [
  /** It was told by a signal to save the state and end, as the pods of a node that is cleared are: a matter of the whole run. */
  z.strictObject({ kind: z.literal("signal"), signal: z.string() }),
  /** Its work is over, with what it would exit with if it were alone; it waits for the run's exit code. */
  z.strictObject({
    kind: z.literal("done"),
    exitCode: whole,
    lastWords: z.string().max(LAST_WORDS_CHARACTERS).nullable(),
  }),
]);
export type FromRank = z.infer<typeof FromRankSchema>;

/** Coordinator → a rank's process that is welcome, signed as well: the run is over, and all has been said about it. */
export const ToRankSchema = z.strictObject({ kind: z.literal("exit"), exitCode: whole });
export type ToRank = z.infer<typeof ToRankSchema>;
