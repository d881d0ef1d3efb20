import type { ListedEngine } from "../engines/list-engines.js";
import { columnTable } from "./summary-table.js";

const HEAD = ["engine", "status", "version", "device", "threads", "speed", "where"];

const PLACES: Readonly<Record<NonNullable<ListedEngine["origin"]>, string>> = {
  package: "npm package",
  store: "installed",
  project: "this project's",
};

/** What `ringstrasse engine list` prints for a person: a table, and below it what is wrong and what to do. Pure. */
export function engineTable(engines: readonly ListedEngine[]): string {
  const rows = engines.map((engine) => [
    engine.engine,
    engine.status,
    engine.version ?? "",
    engine.device,
    engine.threads === 1 ? "1" : `1-${engine.threads}`,
    speed(engine),
    engine.origin === null ? "" : PLACES[engine.origin],
  ]);
  const directories = engines.flatMap(({ engine, directory }) =>
    directory === null ? [] : [`${engine} lies in ${directory}`],
  );
  const problems = engines.flatMap(({ engine, problem, remedy }) =>
    problem === null ? [] : [`${engine}: ${problem}. ${remedy ?? ""}`.trimEnd()],
  );
  return [columnTable(HEAD, rows).trimEnd(), ...directories, ...problems].join("\n");
}

function speed({ gigaflops, measuredThreads }: ListedEngine): string {
  if (gigaflops === null) return "";
  const figure = gigaflops < 100 ? gigaflops.toFixed(1) : gigaflops.toFixed(0);
  return `${figure} GFLOP/s (${measuredThreads} thread${measuredThreads === 1 ? "" : "s"})`;
}
