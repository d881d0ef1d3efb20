import { describe, expect, it } from "vitest";
import { strategyChart } from "../../../../bench/strategies/chart-of-strategies.js";
import { EpochTally, strategyTable } from "../../../../bench/strategies/strategy-figures.js";
import { epochEvent, stepEvent } from "../../../support/train-events.js";

/** Two steps an epoch; a step of `stepEvent` sends 128 bytes from each of two workers. */
function tallyOf(epochs: number): EpochTally {
  const tally = new EpochTally();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (const step of [2 * epoch - 1, 2 * epoch]) tally.hear(stepEvent(epoch, step));
    tally.hear(epochEvent(epoch, { testAccuracy: 0.9 + epoch / 100, testLoss: 0.5 }));
  }
  return tally;
}

describe("figures of strategies", () => {
  it("count what all workers have sent since the start, at the end of each epoch", () => {
    const { epochs } = tallyOf(3);
    expect(epochs.map(({ epoch, sentBytes }) => [epoch, sentBytes])).toEqual([
      [1, 512],
      [2, 1024],
      [3, 1536],
    ]);
    expect(() => new EpochTally().hear(epochEvent(1, { testAccuracy: null }))).toThrow(RangeError);
  });

  it("are told as they were at the end, and drawn epoch by epoch", () => {
    const all = [{ name: "sync & all", isPlain: true, epochs: tallyOf(3).epochs }];
    expect(strategyTable(all).split("\n").at(-1)).toMatch(/^sync & all +0\.0 +0\.3333 +0\.5000 +93\.00 % +0\.13$/);
    const svg = strategyChart(all, "two workers");
    expect(svg).toContain("sync &amp; all");
    expect(svg.match(/<polyline points="([^"]*)"/)?.[1]?.split(" ")).toHaveLength(3);
    expect(svg).toContain(">91 %<");
    expect(svg).toContain(">1 kB<");
  });
});
