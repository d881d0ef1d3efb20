import { SingleBar } from "cli-progress";

/** One line that is drawn over and over. */
export interface ProgressBar {
  /** @param value of the bar's total. @param figures shown behind it. */
  update(value: number, figures: string): void;
  /** Leaves the last state standing and ends the line. */
  stop(): void;
}

/** cli-progress with an estimated time of arrival. */
export function startProgressBar(stream: NodeJS.WritableStream, total: number): ProgressBar {
  const bar = new SingleBar({
    stream,
    format: "{bar} {percentage}% ETA {eta_formatted}, {figures}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    // Terminals cut lines at their width: what matters most comes first.
    barsize: 10,
    hideCursor: true,
    // Signals are the command's own business: it stops the bar on its way out.
    gracefulExit: false,
    // Steps come in bundles; a short memory would make the estimate jump.
    etaBuffer: 200,
  });
  bar.start(total, 0, { figures: "" });
  return {
    update: (value, figures) => {
      bar.update(value, { figures });
    },
    stop: () => {
      bar.stop();
    },
  };
}
