import { z } from "zod";
import { choice, decimalNumber, filePath, type OptionTable, wholeNumber } from "../../shared/cli/option-table.js";
import type { CommandDefinition, ParsedCommand } from "../../shared/cli/parse-command.js";
import { ENGINE_CHECK_COMMAND, type EngineCheck } from "../../shared/engine-store/engine-check.js";
import { openEngineProduct } from "./engine-product.js";
import { measureProduct } from "./matrix-product.js";
import { openNativeProduct } from "./native-product.js";

const CHECK = "Check:";

/**
 * Run by `ringstrasse engine` in a process of its own: a broken library ends only that. Not for people; not in
 * `--help`.
 */
export const ENGINE_CHECK = {
  name: ENGINE_CHECK_COMMAND,
  describe: "Loads an engine, multiplies matrices with it, and tells how fast.",
  positionals: [{ name: "ENGINE", describe: "the engine" }],
  options: {
    binding: { group: CHECK, describe: "The native engine's binding", schema: filePath, placeholder: "PATH" },
    device: { group: CHECK, describe: "cpu or gpu", schema: choice(["cpu", "gpu"]), placeholder: "NAME" },
    threads: { group: CHECK, describe: "That it was told to use", schema: wholeNumber(1), placeholder: "T" },
    seconds: {
      group: CHECK,
      describe: "How long to measure",
      schema: decimalNumber(z.number().positive().max(60)),
      placeholder: "S",
    },
  },
  examples: [],
} as const satisfies CommandDefinition<OptionTable>;

/** @throws whatever the engine or its loader throws */
export async function checkEngine({
  positionals,
  values,
}: ParsedCommand<typeof ENGINE_CHECK.options>): Promise<EngineCheck> {
  const [engine = ""] = positionals;
  const { binding, device = "cpu", threads = 1, seconds = 1 } = values;
  await using product = binding === undefined ? await openEngineProduct(engine) : openNativeProduct(binding, device);
  const gigaflops = await measureProduct(product, seconds);
  return { engine, version: product.version, device: product.device, threads, gigaflops };
}
