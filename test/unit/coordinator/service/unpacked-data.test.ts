import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { documentXml, STORE_KINDS, servicePlace } from "../../../support/service-place.js";

it("a job on a small file that unpacks to more than a file may have ends by name, and leaves no rows", async () => {
  const [, memory] = STORE_KINDS;
  if (memory === undefined) throw new RangeError("there is a store in memory");
  const { directory, ground, service, store } = await servicePlace(memory);
  const row = "1,2,0\n";
  const bytes = gzipSync(row.repeat(1 + Math.ceil(store.files.maxFileBytes / row.length)), { level: 1 });
  const content = (async function* () {
    yield await Promise.resolve(bytes);
  })();
  await store.files.add(content, { name: "rows.txt", contentType: "text/plain" });
  const { id } = await service.submit({ format: "xml", bytes: Buffer.from(documentXml()) });
  await service.queue(id);
  const { signal } = new AbortController();
  for await (const { kind, data } of service.follow(id, 0, signal)) {
    if (kind === "status" && JSON.parse(data).status === "ERROR") break;
  }
  const { failure } = await service.detail(id);
  expect(failure).toMatchObject({ code: "DATA_INVALID", problem: expect.stringMatching(/^unpacked it has more than/) });
  expect(JSON.stringify(failure)).not.toContain(directory);
  expect(await readdir(join(directory, "rows"))).toEqual([]);
  expect(ground.capacity().idle).toBe(1);
});
