import process from "node:process";
import { processorFlags } from "../../../shared/engine-store/processor.js";

/** Widest first: the library takes the widest that the processor has, and its bits follow from that. */
const EXTENSIONS = ["avx512f", "avx2", "avx", "sse4_2"];

/** e.g. `avx2/x64`; the architecture alone where the processor doesn't tell. */
export async function instructionSet(): Promise<string> {
  const flags = await processorFlags();
  const widest = EXTENSIONS.find((extension) => flags.has(extension));
  return widest === undefined ? process.arch : `${widest}/${process.arch}`;
}
