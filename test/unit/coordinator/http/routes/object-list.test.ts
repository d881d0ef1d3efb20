import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { streamObjects } from "../../../../../coordinator/http/routes/object-list.js";
import type { JobObject } from "../../../../../coordinator/service/job-service.js";
import { parseVinnslXml } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { MemoryJobStore } from "../../../../support/memory-job-store.js";

async function jobObject(): Promise<JobObject> {
  const job = await new MemoryJobStore(() => 0).create({ document: { json: "{}", xml: null } });
  return { job, object: parseVinnslXml(Buffer.from("<vinnsl><identifier>1</identifier></vinnsl>")) };
}

/** Counts what was asked for, and whether it was told to stop. */
class Source {
  asked = 0;
  stopped = false;

  async *objects(count: number, failsAt = Number.POSITIVE_INFINITY): AsyncGenerator<JobObject, void, void> {
    const object = await jobObject();
    try {
      while (this.asked < count) {
        if (this.asked === failsAt) throw new Error("the store is gone");
        this.asked++;
        yield object;
      }
    } finally {
      this.stopped = true;
    }
  }
}

describe("streamObjects", () => {
  it.each([0, 1, 3])("writes %i objects as one array", async (count) => {
    const source = new Source();
    const list: unknown = JSON.parse(await text(await streamObjects(source.objects(count))));
    expect(list).toHaveLength(count);
    expect(source.stopped).toBe(true);
  });

  it("asks for no more than the client takes, and stops when it goes away", async () => {
    const source = new Source();
    const stream = await streamObjects(source.objects(10_000));
    await once(stream, "readable");
    expect(stream.read()).not.toBeNull();
    expect(source.asked).toBeLessThan(100);
    stream.destroy();
    await once(stream, "close");
    expect(source.stopped).toBe(true);
    expect(source.asked).toBeLessThan(100);
  });

  it("fails before the first byte when the store does, and breaks off when it fails later", async () => {
    await expect(streamObjects(new Source().objects(5, 0))).rejects.toThrow("the store is gone");
    const stream = await streamObjects(new Source().objects(5, 3));
    await expect(text(stream)).rejects.toThrow("the store is gone");
  });
});
