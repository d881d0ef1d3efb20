/** What one check of this machine has found; a line of `ringstrasse doctor --json`. */
export interface Finding {
  /** What was looked at, e.g. `node`, `engine tensorflow`. */
  readonly check: string;
  /**
   * `ok`: it works; `absent`: not here, and nothing needs it to be; `warning`: it works, but will be slow or fail in some use; `problem`:
   * here, but it doesn't work.
   */
  readonly status: "ok" | "absent" | "warning" | "problem";
  /** What was found; one line. */
  readonly found: string;
  /** Figures for programs. */
  readonly facts: Readonly<Record<string, string | number | null>>;
  /** What to do; null: nothing. */
  readonly remedy: string | null;
}

/** Looks at one side of this machine. Says what is wrong by findings; throws only what is a defect of its own, or an interruption. */
export type MachineCheck = () => Promise<readonly Finding[]>;
