import { describe, expect, it } from "vitest";
import { Reservations } from "../../../../coordinator/serve/reservations.js";

describe("Reservations", () => {
  it("keeps what others have reserved when one that was freed before is freed again", () => {
    const reservations = new Reservations<string>();
    const first = reservations.reserve(["a", "b"]);
    expect([reservations.has("a"), reservations.has("c")]).toEqual([true, false]);
    expect(first.free()).toBe(true);
    const second = reservations.reserve(["a"]);
    expect(first.free()).toBe(false);
    expect(reservations.has("a")).toBe(true);
    expect(second.free()).toBe(true);
    expect(reservations.has("a")).toBe(false);
  });

  it("reserves nothing twice, and nothing at all then", () => {
    const reservations = new Reservations<string>();
    reservations.reserve(["a"]);
    expect(() => reservations.reserve(["b", "a"])).toThrow("reserved twice");
    expect(reservations.has("b")).toBe(false);
  });
});
