import { describe, expect, it } from "vitest";
import { readReportTarget } from "../../../../coordinator/report/report-target.js";
import { failureWithCode } from "../../../support/failure-with-code.js";

describe("readReportTarget", () => {
  it.each([
    ["http://login1:8080/vinnsl/0123456789abcdef01234567", "http://login1:8080", "0123456789abcdef01234567"],
    ["https://example.org/rings/vinnsl/a.b-c_d/", "https://example.org/rings", "a.b-c_d"],
  ])("reads %s", (text, origin, id) => {
    expect(readReportTarget(text)).toEqual({ kind: "http", address: { origin, id } });
  });

  it.each([
    ["file:///shared/spool/42", "/shared/spool/42", "42"],
    ["file://localhost/shared/a%20b/42/", "/shared/a b/42", "42"],
  ])("reads %s", (text, directory, id) => {
    expect(readReportTarget(text)).toEqual({ kind: "spool", directory, id });
  });

  it.each([
    ["login1:8080/vinnsl/42", "can't go to login1:"],
    ["no address", "no address"],
    ["ftp://login1/vinnsl/42", "can't go to ftp:"],
    ["http://login1/jobs/42", "path"],
    ["http://login1/vinnsl/", "path"],
    ["http://login1/vinnsl/..%2f42", "path"],
    ["http://login1/vinnsl/42?token=secret", "query"],
    ["http://me:secret@login1/vinnsl/42", "user name"],
    ["file://login1/spool/42", "login1"],
    ["file:///spool/.hidden", "last part"],
    ["file:///", "last part"],
  ])("refuses %s", async (text, why) => {
    const failure = await failureWithCode("USAGE", () => readReportTarget(text));
    expect(failure.option).toBe("--report-to");
    expect(failure.problem).toContain(why);
    expect(failure.remedy).toContain("http://HOST:PORT/vinnsl/ID");
  });
});
