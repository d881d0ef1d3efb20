import { Format, SingleBar } from "cli-progress";

/** One line that is drawn over and over. */
export interface ProgressBar {
  /** @param value of the bar's total. @param figures shown behind it. */
  update(value: number, figures: string): void;
  /** Leaves the last state standing and ends the line. */
  stop(): void;
}

export interface ProgressBarState {
  readonly total: number;
  /** What is done already: the pace is that of what comes after it. */
  readonly value: number;
  readonly figures: string;
}

/** cli-progress with an estimated time of arrival; "…" until there is a pace to tell it by. */
export function startProgressBar(stream: NodeJS.WritableStream, state: ProgressBarState): ProgressBar {
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
    // What is no number yet comes as text, whatever its type says.
    formatTime: (time, options, step) => (typeof time === "number" ? Format.TimeFormat(time, options, step) : "…"),
  });
  bar.start(state.total, state.value, { figures: state.figures });
  return {
    update: (value, figures) => {
      bar.update(value, { figures });
    },
    stop: () => {
      bar.stop();
    },
  };
}
