import { describe, expect, it } from "vitest";
import { roomAboveHeap } from "../../../../worker/config/ucx-environment.js";

const NODE = "0563e000-0565d000 rw-p 0523d000 fe:00 1234                               /usr/bin/node";
const HEAP = "0a067000-0a280000 rw-p 00000000 00:00 0                                  [heap]";
const CODE = "0a280000-0a2bf000 rwxp 00000000 00:00 0 ";
const FAR = "7f2bdcbc5000-7f2bdcbc6000 r-xp 00000000 fe:00 99                       /usr/lib/[heap].so.1";

describe("roomAboveHeap", () => {
  it.each([
    ["V8's code right behind it", [NODE, HEAP, CODE, FAR], 0],
    ["a library far away", [NODE, HEAP, FAR], 0x7f2bdcbc5000 - 0xa280000],
    ["a heap in two parts", [HEAP, HEAP.replace("0a067000-0a280000", "0a280000-0a300000"), FAR], 0x7f2bd28c5000],
    ["nothing behind it", [NODE, HEAP], Number.POSITIVE_INFINITY],
    ["no heap", [NODE, FAR], Number.POSITIVE_INFINITY],
    ["nothing at all", [], Number.POSITIVE_INFINITY],
  ] as const)("%s", (_, maps, room) => {
    expect(roomAboveHeap(`${maps.join("\n")}\n`)).toBe(room);
  });
});
