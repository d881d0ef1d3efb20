import { describe, expect, it } from "vitest";
import { FileIdSchema, newFileId, newJobId } from "../../../../coordinator/store/object-id.js";
import { JobIdSchema } from "../../../../shared/ids.js";

describe("ids of jobs and files", () => {
  it("begin with their second, and are never the same", () => {
    const ids = Array.from({ length: 10_000 }, () => newJobId(0x6553f100 * 1000 + 999));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^6553f100[0-9a-f]{16}$/);
    expect(JobIdSchema.parse(ids[0])).toBe(ids[0]);
  });

  it("can be read back, and nothing else can", () => {
    const id = newFileId(0);
    expect(FileIdSchema.parse(id)).toBe(id);
    for (const wrong of ["", id.toUpperCase().replace("0", "A"), `${id}0`, "../../../../etc/passwd", `${id}\n`]) {
      expect(FileIdSchema.safeParse(wrong).success).toBe(false);
    }
  });
});
