import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandHostList } from "../../../../shared/launch/host-list.js";

describe("expandHostList", () => {
  it.each([
    ["login", ["login"]],
    ["gpu[01-03,7],login", ["gpu01", "gpu02", "gpu03", "gpu7", "login"]],
    ["n[9-11]", ["n9", "n10", "n11"]],
    ["n[09-11]", ["n09", "n10", "n11"]],
    ["r[0-1]n[8-9]-ib", ["r0n8-ib", "r0n9-ib", "r1n8-ib", "r1n9-ib"]],
  ])("%s", (list, hosts) => {
    expect(expandHostList(list)).toEqual(hosts);
  });

  it.each(["", "a,", "n[3-1]", "n[1-", "n1]", "n[a]", "n[]", "a b", "n[0-999999999]", "n[1-99999][1-99999]"])(
    "%j is no list",
    (list) => {
      expect(expandHostList(list)).toBeNull();
    },
  );

  it("takes ranges for the numbers that they stand for", () => {
    const range = fc.tuple(fc.nat(500), fc.nat(20)).map(([first, more]) => ({ first, last: first + more }));
    fc.assert(
      fc.property(fc.array(range, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 5 }), (ranges, digits) => {
        const written = (number: number) => String(number).padStart(digits, "0");
        const list = ranges.map(({ first, last }) => `${written(first)}-${written(last)}`).join(",");
        const numbers = ranges.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, i) => first + i),
        );
        expect(expandHostList(`node[${list}]`)).toEqual(numbers.map((number) => `node${written(number)}`));
      }),
    );
  });
});
