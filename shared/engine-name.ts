import { z } from "zod";

/** Slowest first. */
export const ENGINE_NAMES = ["wasm", "tensorflow", "tensorflow-gpu"] as const;
export const EngineNameSchema = z.enum(ENGINE_NAMES);
export type EngineName = z.infer<typeof EngineNameSchema>;

/** What a user may ask for: an engine by name, or the fastest that is there. */
export const ENGINE_WISHES = ["auto", ...ENGINE_NAMES] as const;
export type EngineWish = (typeof ENGINE_WISHES)[number];

/** The order in which `auto` tries engines. */
export const ENGINE_PREFERENCE: readonly EngineName[] = ["tensorflow-gpu", "tensorflow", "wasm"];

/** The command that installs an engine; null: it is always there. */
export function installCommandOf(engine: EngineName): string | null {
  switch (engine) {
    case "wasm":
      return null;
    case "tensorflow":
      return "ringstrasse engine install cpu";
    case "tensorflow-gpu":
      return "ringstrasse engine install gpu";
  }
}
