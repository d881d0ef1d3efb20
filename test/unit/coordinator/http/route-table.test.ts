import { describe, expect, it } from "vitest";
import { RouteTable } from "../../../../coordinator/http/route-table.js";

describe("RouteTable", () => {
  const table = new RouteTable();
  for (const [method, url] of [
    ["GET", "/"],
    ["POST", "/jobs"],
    ["GET", "/jobs"],
    ["GET", "/jobs/:id"],
    ["DELETE", "/jobs/all"],
    ["PUT", "/jobs/:id/a.b"],
    ["GET", "/assets/*"],
  ] as const) {
    table.add(method, url);
  }

  it.each([
    ["/", ["GET"]],
    ["/jobs", ["GET", "POST"]],
    ["/jobs/", ["GET", "POST"]],
    ["/jobs/7", ["GET"]],
    ["/jobs/7/a.b", ["PUT"]],
    ["/jobs/7/aXb", []],
    ["/jobs/7/8", []],
    ["/assets/a/b.js", ["GET"]],
    ["/nothing", []],
  ])("knows the methods of %s", (path, methods) => {
    expect(table.methodsOf(path)).toEqual(methods);
  });

  it("lets a path of its own hide the patterns that match it too", () => {
    expect(table.methodsOf("/jobs/all")).toEqual(["DELETE"]);
  });
});
