import { describe, expect, it } from "vitest";
import { documentFormat } from "../../../../../coordinator/http/bodies/document-body.js";

describe("documentFormat", () => {
  it.each([
    ["application/xml", "xml"],
    ["text/xml; charset=UTF-8", "xml"],
    ['application/xml; charset="utf-8"', "xml"],
    ["application/vnd.vinnsl+xml", "xml"],
    ["APPLICATION/JSON", "json"],
    ["text/json", "json"],
    ["application/problem+json;charset=us-ascii", "json"],
  ])("takes %s for %s", (type, format) => {
    expect(documentFormat(type)).toBe(format);
  });

  it.each([
    undefined,
    "",
    "text/plain",
    "text/html",
    "image/xml",
    "application/xml-dtd",
    "application/x-www-form-urlencoded",
    "application/xml; charset=iso-8859-1",
    "application/json; charset=utf-16",
  ])("takes %j for no document", (type) => {
    expect(documentFormat(type)).toBeNull();
  });
});
