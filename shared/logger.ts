import process from "node:process";
import { destination, type Logger, pino } from "pino";

export type { Logger };
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Logs are JSON lines on stderr; results alone go to stdout. Written at once, so that a dying process's last words arrive; but on a terminal, which
 * may be held for hours (see makeTerminalsPatient), in turn with whatever else is written there.
 */
export function createLogger(level: LogLevel, bindings: Record<string, string | number>): Logger {
  const { stderr } = process;
  const options = { level, base: bindings, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, stderr.isTTY ? stderr : destination({ fd: 2, sync: true }));
}
