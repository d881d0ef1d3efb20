import { useEffect, useState } from "preact/hooks";

/** Milliseconds since 1970, anew every `intervalMs`: for texts like "12 s ago". */
export function useNow(intervalMs: number): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return nowMs;
}
