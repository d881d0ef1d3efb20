import { describe, expect, it } from "vitest";
import { readEnteredToken } from "../../../../../coordinator/dashboard/stores/entered-token.js";

describe("readEnteredToken", () => {
  it("takes a token without the blanks around it", () => {
    expect(readEnteredToken(" a-good-token\n")).toEqual({ token: "a-good-token", problem: null });
  });

  it("says nothing of nothing", () => {
    expect(readEnteredToken("  ")).toEqual({ token: null, problem: null });
  });

  it.each(["abc…defgh", "a-good-token\u200b", "Schlüssel-1", "correct horse battery"])(
    "refuses %j, which no header carries",
    (text) => {
      const { token, problem } = readEnteredToken(text);
      expect(token).toBeNull();
      expect(problem).toContain("ASCII");
    },
  );
});
