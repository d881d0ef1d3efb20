import { describe, expect, it } from "vitest";
import { openStore } from "../../../../coordinator/store/open-store.js";
import { documentXml, type ServicePlace, servicePlace, upload } from "../../../support/service-place.js";

const QUOTA_BYTES = 20_000;

/** A service whose files have this many bytes of room left, beside the job's data; and a job that is queued. */
async function placeWithRoom(leftBytes: number) {
  const limits = { quotaBytes: QUOTA_BYTES, maxFileBytes: 1e8 };
  const place = await servicePlace({ name: "small", open: (directory) => openStore({ directory, limits }) });
  const rows = await upload(place, "rows.txt");
  const filler = await upload(place, "filler.txt", "x".repeat(QUOTA_BYTES - rows.sizeBytes - leftBytes));
  const { id } = await place.service.submit({ format: "xml", bytes: Buffer.from(documentXml()) });
  await place.service.queue(id);
  return { ...place, id, filler };
}

const becomes = ({ service }: ServicePlace, id: Awaited<ReturnType<typeof placeWithRoom>>["id"], status: string) =>
  expect.poll(async () => (await service.detail(id)).job.status).toBe(status);

describe("a service whose files have used up their room", () => {
  it("keeps a trained model as soon as there is room for it, and says what it waits for", async () => {
    const place = await placeWithRoom(1000);
    const { service, ground, store, id, filler } = place;
    const run = await ground.next();
    run.start();
    run.finish();
    const told = expect.stringMatching(/can't be kept yet.*no room for.*20000 bytes.*Delete files/);
    await expect.poll(async () => (await service.detail(id)).warnings).toEqual([told]);
    expect((await service.detail(id)).job.status).toBe("INPROGRESS");
    await store.files.delete(filler.id);
    await becomes(place, id, "FINISHED");
    expect((await service.modelFiles(id)).size).toBe(3);
  });

  it("trains nothing whose model has no room, says so, and starts it once there is some", async () => {
    const place = await placeWithRoom(100);
    const { service, ground, store, id, filler } = place;
    await expect.poll(async () => (await service.detail(id)).failure).toMatchObject({ code: "QUOTA_EXCEEDED" });
    await becomes(place, id, "QUEUED");
    expect(ground.runsSoFar).toBe(0);
    await store.files.delete(filler.id);
    expect((await ground.next()).id).toBe(id);
  });

  it("lets a job be cancelled that waits for room", async () => {
    const place = await placeWithRoom(1000);
    const { service, ground, store, id } = place;
    const run = await ground.next();
    run.start();
    run.finish();
    await expect.poll(async () => (await service.detail(id)).warnings).toHaveLength(1);
    const before = store.files.usedBytes;
    await service.cancel(id);
    expect((await service.detail(id)).failure).toMatchObject({ code: "CANCELLED" });
    expect(store.files.usedBytes).toBe(before);
  });
});
