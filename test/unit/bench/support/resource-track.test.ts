import { describe, expect, it } from "vitest";
import { growthComplaints, ResourceTrack } from "../../../../bench/support/resource-track.js";

function trackOf(...sockets: number[]): ResourceTrack {
  const track = new ResourceTrack();
  for (const [index, count] of sockets.entries())
    track.add(7, index === 0 ? "other" : "worker", { sockets: count, bytes: 100 * count });
  return track;
}

describe("ResourceTrack", () => {
  it("compares the highest of two halves, under the process's last name", () => {
    expect(trackOf(3, 5, 4, 4).report()).toEqual([
      { pid: 7, role: "worker", name: "sockets", before: 5, after: 4 },
      { pid: 7, role: "worker", name: "bytes", before: 500, after: 400 },
    ]);
  });

  it("tells nothing of a process seen once", () => {
    expect(trackOf(3).report()).toEqual([]);
  });
});

describe("growthComplaints", () => {
  it("names process, thing and both figures, of what may not grow at all", () => {
    expect(growthComplaints(trackOf(3, 5, 6, 4).report(), { bytes: 100 })).toEqual([
      "worker 7: sockets grew from 5 to 6 (tolerated: 0)",
    ]);
  });

  it("complains where more than tolerated came", () => {
    expect(growthComplaints(trackOf(3, 5, 7, 4).report(), { bytes: 100, sockets: 2 })).toEqual([
      "worker 7: bytes grew from 500 to 700 (tolerated: 100)",
    ]);
  });
});
