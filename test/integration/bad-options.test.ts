import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectRefusedCommand, expectRefusedTrain, workplace } from "../support/refused-run.js";
import { eventsOf, ROOT, runCommand } from "../support/run-command.js";

const IRIS = join(ROOT, "examples/iris/iris.xml");

interface BadOption {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly says: readonly (string | RegExp)[];
}

const USAGE: readonly BadOption[] = [
  { args: [IRIS, "--wrokers", "2"], says: ["--wrokers: train has no such option", "See: ringstrasse train --help"] },
  { args: [IRIS, "-w", "2"], says: ["-w: train has no such option"] },
  { args: [IRIS, "--no-insecure"], says: ["--no-insecure: train has no such option"] },
  { args: [IRIS, "--workers", "two"], says: ["--workers:", '"two"', "a whole number is needed"] },
  { args: [IRIS, "--workers", "1.5"], says: ["--workers:", "a whole number is needed"] },
  { args: [IRIS, "--workers", "0"], says: ["--workers:", "at least 1"] },
  { args: [IRIS, "--workers", "1e9"], says: ["--workers:"] },
  { args: [IRIS, "--seed", "-1"], says: ["--seed:", "at least 0"] },
  { args: [IRIS, "--port", "65536"], says: ["--port:", "at most 65535"] },
  { args: [IRIS, "--test-split", "1"], says: ["--test-split:", "below 1"] },
  { args: [IRIS, "--test-split", "half"], says: ["--test-split:", "a number is needed"] },
  { args: [IRIS, "--engine", "steam"], says: ["--engine:", '"steam"', "auto, wasm"] },
  { args: [IRIS, "--accumulate", "0"], says: ["--accumulate:", "at least 1"] },
  { args: [IRIS, "--clip-norm", "0"], says: ["--clip-norm:", "more than 0"] },
  { args: [IRIS, "--warm-up", "soon"], says: ["--warm-up:", '"soon"', "500steps"] },
  { args: [IRIS, "--loss-scale", "1000"], says: ["--loss-scale:", '"1000"', "a power of two"] },
  {
    args: [IRIS, "--power", "2"],
    says: ["--power:", "means nothing to the learning-rate schedule constant", "polynomial"],
  },
  { args: [IRIS, "--loss-scale", "1024"], says: ["--loss-scale:", "the exchange is in float32", "--compress fp16"] },
  {
    args: [IRIS, "--test-labels", "t10k-labels.gz"],
    says: ["--test-labels:", "t10k-labels.gz would label test images", "Give --test-data too"],
  },
  {
    args: [IRIS, "--test-data", "test.csv", "--test-split", "0.5"],
    says: ["--test-split:", "those of --test-data", "Leave one of the two out"],
  },
  { args: [IRIS, "--mpi-library", "libmpi.so"], says: ["--mpi-library:", "ranks of mpirun", "mpirun -np N"] },
  { args: [IRIS, "--mpi-binding", "ffi"], says: ["--mpi-binding:", "ranks of mpirun"] },
  { args: [IRIS, "--mpi-compiler", "mpicc"], says: ["--mpi-compiler:", "ranks of mpirun"] },
  { args: [IRIS, "--report-token", "t"], says: ["--report-token:", "no server to report to", "--report-to"] },
  {
    args: [IRIS, "--collective", "shm", "--transport", "tcp"],
    says: ["--transport:", "the collective shm has no links", "--collective ring"],
  },
  { args: [IRIS, "--log-level", "loud"], says: ["--log-level:", "debug"] },
  { args: [IRIS, "--insecure=perhaps"], says: ["--insecure:", '"perhaps"', "switch"] },
  { args: [IRIS, "--workers", "1", "--workers", "2"], says: ["--workers: it is given more than once"] },
  { args: [IRIS, "--workers"], says: ["--workers: its value is missing"] },
  { args: [IRIS, "another.xml"], says: ['"another.xml" is one argument too many'] },
  { args: [], says: ["DEF.xml: the ViNNSL document is missing"] },
  { args: [IRIS], env: { RINGSTRASSE_WORKERS: "many" }, says: ["RINGSTRASSE_WORKERS:", '"many"'] },
  { args: [IRIS], env: { RINGSTRASSE_INSECURE: "maybe" }, says: ["RINGSTRASSE_INSECURE:", "true, 1, false or 0"] },
  { args: [IRIS], env: { RINGSTRASSE_CONFIG: "nowhere.json" }, says: ["--config:", "nowhere.json", "ENOENT"] },
  { args: [IRIS, "--inject-fault", "crash@rank=1"], says: ["--inject-fault:", "crash@rank=1", "step"] },
  {
    args: [IRIS, "--workers", "3", "--replicas", "2"],
    says: ["--workers: 3 workers are more than the job's 2 replicas", "--workers 2 or less", "--replicas 3 or more"],
  },
];

describe("options that training refuses", () => {
  for (const { args, env = {}, says } of USAGE) {
    const shown = [
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...args.filter((x) => x !== IRIS),
    ];
    it(`${shown.join(" ") || "nothing"}: USAGE, exit 2`, async () => {
      const place = await workplace();
      await expectRefusedTrain(place, args, { exitCode: 2, code: "USAGE", says }, { env });
    });
  }

  it("tells a person in one line, without JSON", async () => {
    const place = await workplace();
    await expectRefusedCommand(place, ["train", IRIS, "--workers", "two"], { exitCode: 2, says: ["--workers:"] });
  });

  it("answers in JSON when the environment asks for it", async () => {
    const place = await workplace();
    const end = await runCommand(["train", IRIS, "--workers", "two"], {
      env: { ...place.env, RINGSTRASSE_JSON: "true" },
    });
    expect(end.exitCode).toBe(2);
    expect(eventsOf(end.stdout)).toMatchObject([{ event: "failed", code: "USAGE" }]);
  });
});

describe("config files that training refuses", () => {
  const files = [
    { text: '{"workers": "many"}', says: ["workers in ", "options.json", '"many"'] },
    { text: '{"wrokers": 2}', says: ["--config:", "options.json", 'the unknown option "wrokers"', "workers"] },
    { text: "[1, 2]", says: ["--config:", "options.json", "one JSON object"] },
    { text: "{", says: ["--config:", "options.json", "can't be read as JSON"] },
    { text: '{"workers": 3, "replicas": 2}', says: ["3 workers are more than the job's 2 replicas"] },
  ];
  for (const { text, says } of files) {
    it(`${text}: USAGE, exit 2, with the file`, async () => {
      const place = await workplace();
      const config = join(place.folder, "options.json");
      await writeFile(config, text);
      await expectRefusedTrain(place, [IRIS, "--config", config], { exitCode: 2, code: "USAGE", says });
    });
  }
});

describe("choices of later versions", () => {
  const choices: readonly (readonly string[])[] = [["--insecure"]];
  for (const choice of choices) {
    it(`${choice.join(" ")} is refused by name, exit 4`, async () => {
      const place = await workplace();
      const says = [`${choice.join(" ")} is not available`, "this version can't do it yet"];
      await expectRefusedTrain(place, [IRIS, ...choice], { exitCode: 4, code: "CHOICE_UNSUPPORTED", says });
    });
  }

  it("--collective mpi without a launcher of MPI: exit 4, with the command to use", async () => {
    const place = await workplace();
    const says = ["collective mpi", "not started by MPI's launcher", "mpirun -np 2 ringstrasse train"];
    const args = [IRIS, "--collective", "mpi", "--workers", "2"];
    await expectRefusedTrain(place, args, { exitCode: 4, code: "COLLECTIVE_UNAVAILABLE", says });
  });

  it.each([
    [["--collective", "ring"], "--collective ring with --strategy", "Leave it out"],
    [["--compress", "bf16"], "--compress bf16 with --strategy", "asynchronous workers send float32"],
    [["--clip-norm", "1"], "--clip-norm with --strategy", "mean gradient of a whole step"],
    [["--checkpoint-steps", "5"], "--checkpoint-steps with --strategy", "Give --checkpoint-epochs"],
  ])("--strategy async with %s: exit 4, with the reason", async (choice, what, why) => {
    const place = await workplace();
    const args = [IRIS, "--strategy", "async", ...choice];
    await expectRefusedTrain(place, args, { exitCode: 4, code: "CHOICE_UNSUPPORTED", says: [what, why] });
  });

  it("16-bit sums with MPI's own all-reduce: exit 4, since it adds float32", async () => {
    const place = await workplace();
    const says = ["--compress bf16 with --mpi-mode", "MPI adds float32 numbers", "ordered"];
    const args = [IRIS, "--collective", "mpi", "--mpi-mode", "allreduce", "--compress", "bf16"];
    await expectRefusedTrain(place, args, { exitCode: 4, code: "CHOICE_UNSUPPORTED", says });
  });

  it("--encrypt with --collective mpi: USAGE, exit 2, since MPI's messages can't be encrypted here", async () => {
    const place = await workplace();
    const says = ["--encrypt", "MPI's own messages", "--collective ring"];
    await expectRefusedTrain(place, [IRIS, "--encrypt", "--collective", "mpi"], { exitCode: 2, code: "USAGE", says });
  });

  it("--mpi-mode without --collective mpi, and --launcher mpirun by hand: USAGE, exit 2", async () => {
    const place = await workplace();
    const mode = { exitCode: 2, code: "USAGE", says: ["--mpi-mode", "--collective mpi"] } as const;
    await expectRefusedTrain(place, [IRIS, "--mpi-mode", "ordered"], mode);
    const launcher = { exitCode: 2, code: "USAGE", says: ["--launcher", "mpirun -np N"] } as const;
    await expectRefusedTrain(place, [IRIS, "--launcher", "mpirun"], launcher);
  });

  it("the command bench is refused by name, exit 4", async () => {
    const place = await workplace();
    await expectRefusedCommand(place, ["bench"], { exitCode: 4, says: ["ringstrasse bench", "train, worker"] });
  });

  it("--interface without ranks, and another batch system than Slurm", async () => {
    const place = await workplace();
    const idle = { exitCode: 2, code: "USAGE", says: ["--interface", "mpirun, srun, torchrun or Kubernetes"] } as const;
    await expectRefusedTrain(place, [IRIS, "--interface", "eth0"], idle);
    await expectRefusedCommand(place, ["submit", "pbs", IRIS], { exitCode: 4, says: ["submit pbs", "slurm"] });
  });
});

describe("commands", () => {
  const wrong: readonly {
    readonly args: readonly string[];
    readonly exitCode: number;
    readonly says: readonly string[];
  }[] = [
    { args: ["tarin"], exitCode: 2, says: ['there is no command "tarin"', "ringstrasse --help"] },
    { args: ["constructor"], exitCode: 2, says: ['there is no command "constructor"'] },
    { args: ["validate"], exitCode: 2, says: ["DEF.xml", "is missing"] },
    { args: ["validate", IRIS, "--workers", "2"], exitCode: 2, says: ["--workers: validate has no such option"] },
    { args: ["diff", "a"], exitCode: 2, says: ["RUN_B", "is missing"] },
    { args: ["diff", "nowhere-a", "nowhere-b"], exitCode: 3, says: ["nowhere-a"] },
    { args: ["predict"], exitCode: 2, says: ["MODEL", "is missing"] },
    { args: ["predict", "nowhere"], exitCode: 2, says: ["--data", "missing"] },
    {
      args: ["predict", "nowhere", "--data", IRIS, "--json", "--format", "csv"],
      exitCode: 2,
      says: ["--json:", "--format csv is given"],
    },
    { args: ["predict", "nowhere", "--data", IRIS], exitCode: 3, says: ["nowhere"] },
    { args: ["worker"], exitCode: 2, says: ["--coordinator", "missing"] },
    { args: ["worker", "--coordinator", "somewhere"], exitCode: 2, says: ["--coordinator", "tcp://HOST:PORT"] },
    { args: ["worker", "--coordinator", "tcp://127.0.0.1:1"], exitCode: 2, says: ["--token", "RINGSTRASSE_TOKEN"] },
  ];
  for (const { args, exitCode, says } of wrong) {
    it(`${args.map((arg) => arg.replace(ROOT, "")).join(" ")}: exit ${exitCode}`, async () => {
      await expectRefusedCommand(await workplace(), args, { exitCode, says });
    });
  }

  it("--help tells of every command and every option, exit 0", async () => {
    const place = await workplace();
    const [all, train] = await Promise.all([
      runCommand(["--help"], { env: place.env }),
      runCommand(["train", "--help"], { env: place.env }),
    ]);
    expect([all.exitCode, train.exitCode]).toEqual([0, 0]);
    for (const command of ["train", "worker", "predict", "validate", "diff"])
      expect(all.stdout).toContain(`  ${command} `);
    expect(train.stdout).toContain("ringstrasse train DEF.xml [options]");
    for (const option of ["--workers N", "--out DIR", "--json ", "--config FILE"])
      expect(train.stdout).toContain(option);
    expect(Math.max(...train.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(110);
  });
});
