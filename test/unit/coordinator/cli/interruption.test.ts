import { describe, expect, it } from "vitest";
import { Interruption } from "../../../../coordinator/cli/interruption.js";
import { toFailure } from "../../../../shared/failure.js";

/** What becomes of signals. @param saves whether there is a run that can save its state */
function hear(signals: readonly string[], saves: boolean) {
  const atOnce: string[] = [];
  const saved: string[] = [];
  const interruption = new Interruption((signal) => atOnce.push(signal));
  if (saves) interruption.onStop(({ signal }) => saved.push(signal));
  for (const signal of signals) interruption.hear(signal);
  const { aborted, reason } = interruption.signal;
  return { saved, aborted: aborted ? toFailure(reason) : null, atOnce };
}

const nothing = { saved: [], aborted: null, atOnce: [] };
const ends = (signal: string) => ({ code: "INTERRUPTED", signal });

describe("Interruption", () => {
  it.each(["SIGTERM", "SIGUSR1", "SIGUSR2"])("%s saves and ends; where nothing can be saved it ends", (signal) => {
    expect(hear([signal], true)).toEqual({ ...nothing, saved: [signal] });
    expect(hear([signal], false)).toEqual({ ...nothing, aborted: ends(signal) });
  });

  it.each(["SIGINT", "SIGHUP"])("%s ends without saving; a second one at once", (signal) => {
    expect(hear([signal], true)).toEqual({ ...nothing, aborted: ends(signal) });
    expect(hear([signal, signal], true)).toEqual({ ...nothing, aborted: ends(signal), atOnce: [signal] });
  });

  it("what batch systems send on top of each other does not disturb the saving", () => {
    expect(hear(["SIGUSR1", "SIGUSR1", "SIGUSR2", "SIGTERM"], true)).toEqual({ ...nothing, saved: ["SIGUSR1"] });
    expect(hear(["SIGTERM", "SIGUSR1"], true)).toEqual({ ...nothing, saved: ["SIGTERM"] });
  });

  it("a second SIGTERM ends at once, and Ctrl-C ends a saving that takes too long", () => {
    expect(hear(["SIGTERM", "SIGTERM"], true)).toEqual({ ...nothing, saved: ["SIGTERM"], atOnce: ["SIGTERM"] });
    expect(hear(["SIGTERM", "SIGINT"], true)).toEqual({ ...nothing, saved: ["SIGTERM"], aborted: ends("SIGINT") });
  });

  it("a signal to another rank is the run's own when it comes first, and nothing new after another one", () => {
    const saved: string[] = [];
    const atOnce: string[] = [];
    const interruption = new Interruption((signal) => atOnce.push(signal));
    interruption.onStop(({ signal }) => saved.push(signal));
    interruption.hearOf("SIGINT", 1);
    interruption.hearOf("SIGTERM", 2);
    // Launchers that end all ranks send it to all.
    interruption.hearOf("SIGTERM", 1);
    interruption.hear("SIGTERM");
    expect({ saved, atOnce }).toEqual({ saved: ["SIGTERM of rank 2"], atOnce: [] });
    interruption.hear("SIGTERM");
    expect(atOnce).toEqual(["SIGTERM"]);
    expect(interruption.signal.aborted).toBe(false);
  });

  it("a run that is over saves no more", () => {
    const interruption = new Interruption(() => undefined);
    const saved: string[] = [];
    interruption.onStop(({ signal }) => saved.push(signal))[Symbol.dispose]();
    interruption.hear("SIGTERM");
    expect(saved).toEqual([]);
    expect(interruption.signal.aborted).toBe(true);
  });
});
