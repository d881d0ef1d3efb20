import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventStreamParser } from "../../../../../coordinator/dashboard/api/event-stream-parser.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => new EventStreamParser().push(bytes(text));

describe("event stream parser", () => {
  it("reads id, event and data; data of several lines; events without a name", () => {
    expect(read('id: 7\nevent: step\ndata: {"a":1}\n\ndata: one\ndata:two\n\n')).toEqual([
      { id: "7", event: "step", data: '{"a":1}' },
      { id: "7", event: "message", data: "one\ntwo" },
    ]);
  });

  it("overlooks comments, unknown fields and events without data", () => {
    expect(read(": keep-alive\n\nretry: 10\nevent: empty\n\ndata: x\n\n")).toEqual([
      { id: "", event: "message", data: "x" },
    ]);
  });

  it("waits for an event's end", () => {
    const parser = new EventStreamParser();
    expect(parser.push(bytes("data: half"))).toEqual([]);
    expect(parser.push(bytes(" a line\n"))).toEqual([]);
    expect(parser.push(bytes("\n"))).toEqual([{ id: "", event: "message", data: "half a line" }]);
  });

  it("reads the same however the stream is cut, with any line ends and any characters", () => {
    const event = fc.record({ id: fc.nat(), data: fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 }) });
    const cuts = fc.array(fc.nat(2_000), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(event), fc.constantFrom("\n", "\r\n", "\r"), cuts, (events, end, places) => {
        const lines = (text: string) => text.replaceAll(/[\r\n\0]/g, "");
        const wanted = events.map(({ id, data }) => ({ id: `${id}`, event: "step", data: data.map(lines).join("\n") }));
        const text = wanted
          .map(({ id, data }) => {
            const fields = [`id: ${id}`, "event: step", ...data.split("\n").map((line) => `data: ${line}`)];
            return `${fields.join(end)}${end}${end}`;
          })
          .join("");
        const whole = bytes(text);
        const parser = new EventStreamParser();
        const ends = [...places.filter((place) => place < whole.length), whole.length].sort((a, b) => a - b);
        let begin = 0;
        const found = ends.flatMap((place) => {
          const piece = parser.push(whole.subarray(begin, place));
          begin = place;
          return piece;
        });
        expect(found).toEqual(wanted);
      }),
    );
  });
});
