import { z } from "zod";
import { replaceFile } from "../../shared/durable-file.js";
import {
  type EpochEvent,
  EpochEventSchema,
  type FinishedEvent,
  FinishedEventSchema,
} from "../../shared/train-events.js";
import { writeFailure } from "../../shared/write-failure.js";

/** What `result.json` holds: the last line of `train --json`, one entry per epoch, and the effective configuration. */
export const RunResultSchema = z.strictObject({
  ...FinishedEventSchema.omit({ event: true }).shape,
  history: z.array(EpochEventSchema.omit({ event: true })),
  configuration: z.record(z.string(), z.json()),
});
export type RunResult = z.infer<typeof RunResultSchema>;

export interface ResultToWrite {
  readonly finished: FinishedEvent;
  readonly history: readonly EpochEvent[];
  readonly configuration: RunResult["configuration"];
}

/** Writes `result.json` at once: there is a whole one, or none. @throws RingstrasseError OUTPUT_UNWRITABLE */
export async function writeResult(path: string, { finished, history, configuration }: ResultToWrite): Promise<void> {
  const { event: _finished, ...figures } = finished;
  const result: RunResult = {
    ...figures,
    history: history.map(({ event: _epoch, ...epoch }) => epoch),
    configuration,
  };
  try {
    await replaceFile(path, Buffer.from(`${JSON.stringify(result, null, 2)}\n`, "utf8"));
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}
