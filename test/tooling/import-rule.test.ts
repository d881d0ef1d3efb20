import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIOME = join(ROOT, "node_modules/.bin/biome");

const SIDE = "lint/style/noRestrictedImports";
const ENVIRONMENT = "lint/style/noProcessEnv";
const GLOBAL = "lint/correctness/noProcessGlobal";
const PLUGIN = "plugin";

interface Case {
  readonly file: string;
  readonly source: string;
  /** Rule that must speak up, and words of its message; null: nothing may. */
  readonly refusedBy: string | null;
  readonly message?: string;
}

const importOf = (specifier: string): string => `import * as it from "${specifier}";\nexport const kept = it;\n`;
const refused = (file: string, specifier: string, message: string): Case => ({
  file,
  source: importOf(specifier),
  refusedBy: SIDE,
  message,
});
const allowed = (file: string, specifier: string): Case => ({ file, source: importOf(specifier), refusedBy: null });

/** All of the coordinator but the dashboard itself. */
const DASHBOARD_STRANGERS = readdirSync(join(ROOT, "coordinator"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "dashboard")
  .map(({ name }) => name);

const CASES: readonly Case[] = [
  refused("shared/a.ts", "../coordinator/job/job-state.js", "shared/ imports only shared/"),
  refused("shared/data/a.ts", "../../worker/engine/engine.js", "shared/ imports only shared/"),
  refused("shared/a.ts", "../ringstrasse.js", "shared/ imports only shared/"),
  refused("coordinator/a.ts", "../worker/main.js", "coordinator/ imports only coordinator/ and shared/"),
  refused("coordinator/group/a.ts", "../../test/support/real-data.js", "coordinator/ imports only"),
  refused("worker/a.ts", "../coordinator/main.js", "worker/ imports only worker/ and shared/"),
  refused("worker/train/a.ts", "../../bench/memory.js", "worker/ imports only worker/ and shared/"),
  refused("bench/a.ts", "../test/support/real-data.js", "bench/ and test/ do not import each other"),
  refused("test/unit/a.test.ts", "../../bench/memory.js", "bench/ and test/ do not import each other"),
  allowed("test/unit/bench/a.test.ts", "../../../bench/memory.js"),
  ...DASHBOARD_STRANGERS.map((folder) =>
    refused(`coordinator/dashboard/stores/${folder}.ts`, `../../${folder}/a.js`, "the dashboard runs in a browser"),
  ),
  allowed("shared/a.ts", "./epoch-plan.js"),
  allowed("coordinator/group/a.ts", "../../shared/failure.js"),
  allowed("worker/train/a.ts", "../collective/collective.js"),
  allowed("test/unit/a.test.ts", "../../worker/train/train-step.js"),
  allowed("ringstrasse.ts", "./worker/main.js"),
  allowed("ringstrasse.ts", "./coordinator/main.js"),
  // One npm package per adapter file.
  ...ownership("zeromq", "shared/transport/zeromq-sockets.ts", "worker/transport/a.ts"),
  ...ownership("msgpackr", "shared/protocol/codec.ts", "shared/protocol/a.ts"),
  ...ownership("csv-parse", "shared/data/csv-source.ts", "coordinator/data/a.ts"),
  ...ownership("pino", "shared/logger.ts", "coordinator/a.ts"),
  ...ownership("fast-xml-parser", "coordinator/vinnsl/read-document.ts", "coordinator/vinnsl/a.ts"),
  ...ownership("xmllint-wasm", "coordinator/vinnsl/validate-strict.ts", "coordinator/vinnsl/a.ts"),
  ...ownership("@tensorflow/tfjs-core", "worker/engine/wasm/a.ts", "worker/train/a.ts"),
  ...ownership("@tensorflow/tfjs-backend-wasm/dist/index.js", "worker/engine/wasm/a.ts", "worker/engine/a.ts"),
  ...ownership("yargs", "shared/cli/parse-command.ts", "coordinator/cli/a.ts"),
  ...ownership("yargs/helpers", "shared/cli/parse-command.ts", "ringstrasse.ts"),
  ...ownership("cli-progress", "coordinator/cli/progress-bar.ts", "coordinator/cli/a.ts"),
  ...ownership("cli-table3", "coordinator/cli/summary-table.ts", "coordinator/cli/a.ts"),
  ...ownership("undici", "coordinator/engines/http-client.ts", "coordinator/engines/a.ts"),
  ...ownership("yauzl", "coordinator/engines/zip-archive.ts", "coordinator/engines/a.ts"),
  ...ownership("nanotar", "coordinator/engines/tar-archive.ts", "coordinator/engines/a.ts"),
  refused("shared/transport/zeromq-sockets.ts", "msgpackr", "one adapter file"),
  allowed("coordinator/a.ts", "zod"),
  // Pure cores.
  ...["shared/epoch-plan.ts", "coordinator/job/job-state.ts", "worker/collective/fold-schedule.ts"].flatMap((file) => [
    refused(file, "node:fs", "pure core"),
    refused(file, "node:fs/promises", "pure core"),
    refused(file, "node:process", "pure core"),
    allowed(file, "node:crypto"),
    { file, source: "export const id = process.pid;\n", refusedBy: GLOBAL },
  ]),
  refused("coordinator/group/membership.ts", "./control-server.js", "no adapter"),
  // Environment and exit.
  { file: "worker/train/a.ts", source: withProcess('export const it = process.env["HOME"];'), refusedBy: ENVIRONMENT },
  { file: "worker/config.ts", source: withProcess('export const it = process.env["HOME"];'), refusedBy: null },
  { file: "coordinator/a.ts", source: withProcess("process.exit(1);"), refusedBy: PLUGIN, message: "Only a main.ts" },
  { file: "coordinator/main.ts", source: withProcess("process.exit(1);"), refusedBy: null },
];

function ownership(name: string, owner: string, other: string): Case[] {
  return [allowed(owner, name), refused(other, name, "one adapter file")];
}
function withProcess(statement: string): string {
  return `import process from "node:process";\n\n${statement}\n`;
}

/** The parts of biome's JSON report that are read here. */
interface Report {
  readonly diagnostics: readonly Diagnostic[];
}
interface Diagnostic {
  readonly category: string;
  readonly message: string;
  readonly location: { readonly path: string };
}

/** Lints a folder with the project's own configuration, as if its files lay in the repository. */
async function lint(folder: string): Promise<readonly Diagnostic[]> {
  for (const name of ["biome.json", "package.json", ".ci", "coordinator/dashboard/biome.json"]) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  }
  const output = await new Promise<string>((resolve, reject) => {
    // biome ends with 1 when it has found something, which is what most cases are for.
    execFile(BIOME, ["lint", "--reporter=json", "--max-diagnostics=none"], { cwd: folder }, (error, stdout, stderr) => {
      if (stdout.startsWith("{")) resolve(stdout);
      else reject(new Error(`biome gave no report: ${stderr}`, { cause: error }));
    });
  });
  return (JSON.parse(output) as Report).diagnostics.filter(({ category }) =>
    [SIDE, ENVIRONMENT, GLOBAL, PLUGIN].includes(category),
  );
}

/** Cases over as few folders as possible: one holds a single case of each path. */
function intoFolders(cases: readonly Case[]): Map<string, Case>[] {
  const folders: Map<string, Case>[] = [];
  for (const one of cases) {
    let folder = folders.find((candidate) => !candidate.has(one.file));
    if (folder === undefined) {
      folder = new Map();
      folders.push(folder);
    }
    folder.set(one.file, one);
  }
  return folders;
}

describe("import rule (biome.json)", () => {
  const found = new Map<Case, readonly Diagnostic[]>();
  let base = "";

  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), "ringstrasse-import-rule-"));
    for (const [index, cases] of intoFolders(CASES).entries()) {
      const folder = join(base, String(index));
      for (const { file, source } of cases.values()) {
        await mkdir(dirname(join(folder, file)), { recursive: true });
        await writeFile(join(folder, file), source);
      }
      const diagnostics = await lint(folder);
      for (const one of cases.values()) {
        found.set(
          one,
          diagnostics.filter(({ location }) => location.path === one.file),
        );
      }
    }
  });
  afterAll(async () => {
    await rm(base, { recursive: true, force: true });
  });

  it.each(CASES.map((one) => [`${one.file}: ${essence(one)}`, one] as const))("%s", (_title, one) => {
    const diagnostics = found.get(one) ?? [];
    expect(diagnostics.map(({ category }) => category)).toEqual(one.refusedBy === null ? [] : [one.refusedBy]);
    if (one.message !== undefined) expect(diagnostics[0]?.message).toContain(one.message);
  });
});

function essence(one: Case): string {
  const line = one.source.split("\n").find((text) => text !== "" && !text.includes("node:process")) ?? one.source;
  return `${line} is ${one.refusedBy === null ? "allowed" : "refused"}`;
}
