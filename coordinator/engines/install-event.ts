import { z } from "zod";
import { NATIVE_ENGINE_NAMES } from "../../shared/engine-store/engine-release.js";

const bytes = z.number().int().nonnegative();
const engine = z.enum(NATIVE_ENGINE_NAMES);

/**
 * What becomes of an installation. All of `ringstrasse engine install --json` but its `failed` line, which is as
 * `train`'s.
 */
export const InstallEventSchema = z.discriminatedUnion("event", [
  /** It begins: what is to be fetched. */
  z.strictObject({
    event: z.literal("install"),
    engine,
    version: z.string(),
    directory: z.string(),
    /** Of all files. */
    downloadBytes: bytes,
    /** Of these, here already from an earlier try. */
    resumedBytes: bytes,
  }),
  z.strictObject({
    event: z.literal("download"),
    package: z.string(),
    version: z.string(),
    /** Of all files, those of earlier tries included. */
    receivedBytes: bytes,
    downloadBytes: bytes,
  }),
  z.strictObject({ event: z.literal("unpack"), package: z.string(), version: z.string() }),
  z.strictObject({ event: z.literal("compile"), compiler: z.string() }),
  /** A process of its own loads the engine and computes with it. */
  z.strictObject({ event: z.literal("check") }),
  /** The last line of an installation that ended well; `present`: it was there already. */
  z.strictObject({
    event: z.enum(["installed", "present"]),
    engine,
    version: z.string(),
    device: z.enum(["cpu", "gpu"]),
    directory: z.string(),
    /** On the disk. */
    sizeBytes: bytes,
    /** Over the network, this time. */
    transferredBytes: bytes,
    wallMs: z.number().nonnegative(),
  }),
]);
export type InstallEvent = z.infer<typeof InstallEventSchema>;
export type InstalledEvent = Extract<InstallEvent, { event: "installed" | "present" }>;
