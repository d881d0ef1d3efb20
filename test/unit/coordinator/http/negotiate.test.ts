import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HttpRefusal } from "../../../../coordinator/http/http-refusal.js";
import { negotiate } from "../../../../coordinator/http/negotiate.js";
import { refusalOf } from "./refusal-of.js";

const OFFERED = ["application/json", "application/xml"] as const;

describe("negotiate", () => {
  it.each([
    [undefined, "application/json"],
    ["", "application/json"],
    ["*/*", "application/json"],
    ["application/*", "application/json"],
    ["application/xml", "application/xml"],
    ["text/xml", "application/xml"],
    ["TEXT/XML; charset=utf-8", "application/xml"],
    ["application/vnd.vinnsl+xml", "application/xml"],
    ["application/vnd.vinnsl+json, application/xml;q=0.9", "application/json"],
    ["application/json;q=0.5, application/xml;q=0.8", "application/xml"],
    ["application/xml, application/json", "application/xml"],
    ["application/json, text/plain, */*", "application/json"],
    ["application/json;q=0, */*", "application/xml"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/xml"],
    ["image/png, */*;q=0.1", "application/json"],
    ["nonsense, application/xml", "application/xml"],
  ])("of %j picks %s", (accept, expected) => {
    expect(negotiate(accept, OFFERED)).toBe(expected);
  });

  it.each(["image/png", "application/json;q=0, application/xml;q=0", "text/html", "nonsense", "application/xml;q=x"])(
    "refuses %j by 406, and says what there is",
    (accept) => {
      const refusal = refusalOf(() => negotiate(accept, OFFERED));
      expect(refusal.refusal).toMatchObject({ status: 406, code: "NOT_ACCEPTABLE" });
      expect(refusal.message).toContain(JSON.stringify(accept));
      expect(refusal.message).toContain("application/json or application/xml");
    },
  );

  it("picks something that is offered or refuses, whatever the header", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(";q=1", ";q=0.2", ""), (text, quality) => {
        try {
          expect(OFFERED).toContain(negotiate(`${text}${quality}`, OFFERED));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(HttpRefusal);
        }
      }),
    );
  });
});
