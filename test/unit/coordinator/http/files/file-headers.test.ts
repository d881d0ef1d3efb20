import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentDisposition } from "../../../../../coordinator/http/files/content-disposition.js";
import { safeContentType } from "../../../../../coordinator/http/files/safe-content-type.js";

describe("contentDisposition", () => {
  it("gives a plain name as it is", () => {
    expect(contentDisposition("attachment", "iris.txt")).toBe(
      "attachment; filename=\"iris.txt\"; filename*=UTF-8''iris.txt",
    );
  });

  it("gives other names exactly, and old clients something like them", () => {
    expect(contentDisposition("inline", 'Blüten "1".csv')).toBe(
      "inline; filename=\"Bl_ten _1_.csv\"; filename*=UTF-8''Bl%C3%BCten%20%221%22.csv",
    );
    expect(contentDisposition("attachment", "../../etc/passwd")).toContain('filename=".._.._etc_passwd"');
  });

  it("makes one header of any name, from which the name comes back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (name) => {
        const header = contentDisposition("attachment", name);
        expect(header).toMatch(/^attachment; filename="[ !#$&-.0-:<-[\]-~]*"; filename\*=UTF-8''[A-Za-z0-9.!_~%-]*$/);
        expect(decodeURIComponent(header.slice(header.lastIndexOf("UTF-8''") + 7))).toBe(name);
      }),
    );
  });
});

describe("safeContentType", () => {
  it.each([
    ["text/csv", "text/csv; charset=utf-8"],
    ["application/json; charset=utf-8", "application/json"],
    ["IMAGE/PNG", "image/png"],
    ["text/html", "text/plain; charset=utf-8"],
    ["text/javascript", "text/plain; charset=utf-8"],
    ["application/xml", "text/plain; charset=utf-8"],
    ["image/svg+xml", "text/plain; charset=utf-8"],
    ["application/xhtml+xml; charset=utf-8", "text/plain; charset=utf-8"],
    ["application/javascript", "application/octet-stream"],
    ["application/pdf", "application/octet-stream"],
    ["multipart/mixed", "application/octet-stream"],
    ["nonsense", "application/octet-stream"],
  ])("gives %s out as %s", (sent, given) => {
    expect(safeContentType(sent)).toBe(given);
  });
});
