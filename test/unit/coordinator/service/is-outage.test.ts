import { describe, expect, it } from "vitest";
import { isOutage } from "../../../../coordinator/service/is-outage.js";
import { storeUnavailable } from "../../../../coordinator/store/store-failure.js";
import { RingstrasseError } from "../../../../shared/failure.js";
import { writeFailure } from "../../../../shared/write-failure.js";

const system = (code: string) => Object.assign(new Error(code), { code, syscall: "write" });
const unwritable = (cause: unknown) =>
  new RingstrasseError({ code: "OUTPUT_UNWRITABLE", path: "/rows", problem: "full", remedy: "Free some" }, { cause });

describe("isOutage", () => {
  it("is what the database or the disk beside it says while it is full or fails, whoever passes it on", () => {
    expect(isOutage(storeUnavailable("store.db", "full", "Free some"))).toBe(true);
    for (const code of ["ENOSPC", "EDQUOT", "EIO", "EROFS", "ESTALE"]) {
      expect(isOutage(writeFailure("/rows", system(code)))).toBe(true);
      expect(isOutage(unwritable(writeFailure("/rows", system(code))))).toBe(true);
      expect(isOutage(system(code))).toBe(true);
    }
  });

  it("is nothing that waiting does not mend", () => {
    for (const code of ["EACCES", "ENOTDIR", "ENAMETOOLONG"]) {
      expect(isOutage(writeFailure("/rows", system(code)))).toBe(false);
    }
    expect(isOutage(unwritable(undefined))).toBe(false);
    expect(isOutage(new Error("a defect", { cause: system("ENOSPC") }))).toBe(false);
    const missing = { code: "INPUT_MISSING", file: "rows.txt", problem: "EIO", remedy: "Look" } as const;
    expect(isOutage(new RingstrasseError(missing, { cause: system("EIO") }))).toBe(false);
    expect(isOutage("ENOSPC")).toBe(false);
  });
});
