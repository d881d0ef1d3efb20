import { describe, expect, it } from "vitest";
import { checkpointSettings } from "../../../../coordinator/checkpoint/checkpoint-settings.js";
import type { ServeOptions } from "../../../../coordinator/cli/serve-options.js";
import { jobOptions } from "../../../../coordinator/serve/job-options.js";
import { objectOf, readTrainable } from "../../../../coordinator/service/check-object.js";
import { documentXml, STORE_KINDS, servicePlace, upload } from "../../../support/service-place.js";

/** What a server with these options makes of a document with this strategy. */
function planOf(strategy: string, options: ServeOptions) {
  const object = objectOf({ format: "xml", bytes: Buffer.from(documentXml({ parameters: { strategy } })) });
  const job = readTrainable(object, jobOptions(options));
  return { ...checkpointSettings(job.options), remark: job.remark, options: job.options };
}

describe("options of a server that checkpoints by steps", () => {
  const remark = expect.stringContaining("--checkpoint-steps is left out");

  it("keep no asynchronous job from being trained: the clock decides, and it is said", () => {
    const plan = { everySteps: null, everyEpochs: null, everyMs: 300_000 };
    expect(planOf("async", { "checkpoint-steps": 5, "keep-checkpoints": 7 })).toMatchObject({ plan, keep: 7, remark });
  });

  it.each([
    [{ "checkpoint-epochs": 2 }, { everyEpochs: 2, everyMs: null }],
    [{ "checkpoint-minutes": 1 }, { everyEpochs: null, everyMs: 60_000 }],
  ] as const)("leave the rest as the server says it: %o", (also, rest) => {
    const { plan } = planOf("async", { "checkpoint-steps": 5, ...also });
    expect(plan).toEqual({ everySteps: null, ...rest });
  });

  it("say so when the job is trained", async () => {
    const place = await servicePlace(STORE_KINDS[1]!, 1, { options: jobOptions({ "checkpoint-steps": 5 }) });
    await upload(place, "rows.txt");
    const document = documentXml({ parameters: { strategy: "async" } });
    const { id } = await place.service.submit({ format: "xml", bytes: Buffer.from(document) });
    await place.service.queue(id);
    const { run } = await place.ground.next();
    expect(run.checkpoints.plan).toEqual({ everySteps: null, everyEpochs: null, everyMs: 300_000 });
    await expect.poll(async () => (await place.service.detail(id)).warnings).toEqual([remark]);
  });

  it("hold for all others", () => {
    for (const strategy of ["sync", "local-sgd"]) {
      const { plan, remark, options } = planOf(strategy, { "checkpoint-steps": 5 });
      expect([plan.everySteps, plan.everyMs, remark]).toEqual([5, null, null]);
      expect(options).toEqual(jobOptions({ "checkpoint-steps": 5 }));
    }
    expect(planOf("async", {})).toMatchObject({ remark: null, plan: { everyMs: 300_000 } });
  });
});
