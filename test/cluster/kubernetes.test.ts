import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { isOnPath } from "../support/is-on-path.js";
import { MANIFESTS, manifestFiles, podOf } from "../support/manifests.js";
import { Pods, podProblem } from "../support/pods.js";
import { pythonWithKubernetesValidate } from "../support/python-environment.js";
import { eventsOf, ROOT, type RunningCommand, runTrain } from "../support/run-command.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const run = promisify(execFile);
const IRIS = join(ROOT, "examples/iris/iris.xml");
const CLUSTER_IRIS = join(ROOT, "examples/iris/iris-cluster.xml");
const TOKEN = "a-secret-of-this-test-alone";
const PROBLEM = podProblem();
/** The oldest that the Job needs (`backoffLimitPerIndex`), one between, the newest that the schemas' package knows. */
const VERSIONS = ["1.29", "1.33", "1.37"] as const;
const python = await pythonWithKubernetesValidate();

/** Hashes and folders of the same job in one process, without pods. */
async function plainly(args: readonly string[]): Promise<string> {
  const folder = await temporaryDirectory();
  const { finished } = await runTrain([...args, "--out", join(folder, "run"), "--data-dir", join(folder, "rows")]);
  return finished.weightsSha256;
}

describe.skipIf(python === null)("Kubernetes manifests, decoded strictly (needs PyPI for kubernetes-validate)", () => {
  async function validate(text: string): Promise<void> {
    const file = join(await temporaryDirectory(), "all.yaml");
    await writeFile(file, text);
    for (const version of VERSIONS) {
      await run(python ?? "", ["-m", "kubernetes_validate", "--strict", "--quiet", "-k", version, file]);
    }
  }

  it(`are sound for Kubernetes ${VERSIONS.join(", ")}; a misspelt field is not`, async () => {
    const files = await Promise.all(
      ["base", "job", "mpi"].map(async (folder) =>
        (await manifestFiles(folder)).map((name) => join(MANIFESTS, folder, name)),
      ),
    );
    const texts = await Promise.all(files.flat().map((file) => readFile(file, "utf8")));
    const text = texts.join("\n---\n");
    await validate(text);
    const misspelt = text.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem");
    await expect(validate(misspelt)).rejects.toMatchObject({
      stdout: expect.stringContaining("readOnlyRootFileSystem"),
    });
  });

  it.skipIf(!isOnPath("kubectl"))("the overlays make sound ones (needs kubectl)", async () => {
    const folders = ["base", "single-node", "gpu", "job", "mpi"];
    const rendered = await Promise.all(folders.map((folder) => run("kubectl", ["kustomize", join(MANIFESTS, folder)])));
    const [, single = "", gpu = ""] = rendered.map(({ stdout }) => stdout);
    await validate(rendered.map(({ stdout }) => stdout).join("\n---\n"));
    expect(single).not.toContain("ReadWriteMany");
    expect(gpu).toContain('nvidia.com/gpu: "1"');
    expect(gpu).toMatch(/image: ringstrasse-gpu:latest/);
    expect(gpu).toMatch(/- --engine\n\s*- tensorflow-gpu\n/);
    expect(gpu).not.toContain("HorizontalPodAutoscaler");
  });
});

describe.skipIf(PROBLEM !== null)(`the pods of the manifests${PROBLEM === null ? "" : ` (${PROBLEM})`}`, () => {
  it("a Job's pods train together; one that is evicted ends the run with its state saved, and the next attempt goes on to the same hash", async () => {
    const LENGTH = ["--epochs", "600", "--evaluate-every", "600"];
    const pod = await podOf("job", "Job ringstrasse-train");
    const names = [0, 1, 2].map((index) => `ringstrasse-train-${index}`);
    await using pods = await Pods.start(names.map((name) => `${name}=${name}.ringstrasse-train`));
    const attempt = () =>
      Promise.all(
        names.map((name, index) =>
          pods.run({ name, pod, token: TOKEN, env: { JOB_COMPLETION_INDEX: `${index}` }, args: LENGTH }),
        ),
      );
    const ends = async (ranks: readonly RunningCommand[]) => await Promise.all(ranks.map(({ ended }) => ended));

    const evicted = await attempt();
    await evicted[0]?.until((stdout) => stdout.includes('"event":"step"'));
    evicted[1]?.child.kill("SIGTERM");
    const [first, ...others] = await ends(evicted);
    expect([first, ...others].map((end) => end?.exitCode)).toEqual([130, 130, 130]);
    expect(others.map(({ stdout }) => stdout)).toEqual(["", ""]);
    const failed = eventsOf(first?.stdout ?? "").at(-1);
    expect(failed).toMatchObject({ event: "failed", code: "INTERRUPTED" });
    expect(failed).toHaveProperty("message", expect.stringMatching(/SIGTERM of rank 1; go on with --resume /));

    const [[second, ...rest], weightsSha256] = await Promise.all([
      ends(await attempt()),
      plainly([IRIS, "--replicas", "3", ...LENGTH]),
    ]);
    expect([second, ...rest].map((end) => `${end?.exitCode} ${end?.stderr}`)).toEqual(["0 ", "0 ", "0 "]);
    const events = eventsOf(second?.stdout ?? "");
    expect(events.find(({ event }) => event === "step")).not.toMatchObject({ epoch: 1 });
    expect(events.at(-1)).toMatchObject({ event: "finished", workers: 3, ordered: true, weightsSha256 });
  });

  it("the service's pods answer their probes, train together, and leave within the grace period", async () => {
    const [coordinator, worker] = await Promise.all([
      podOf("base", "Deployment ringstrasse-coordinator"),
      podOf("base", "StatefulSet ringstrasse-worker"),
    ]);
    const names = ["ringstrasse-worker-0", "ringstrasse-worker-1"];
    await using pods = await Pods.start(["server=ringstrasse-coordinator", ...names]);
    const server = await pods.run({ name: "server", pod: coordinator, token: TOKEN });
    const workers = await Promise.all(names.map((name) => pods.run({ name, pod: worker, token: TOKEN })));
    await pods.probed("server", coordinator, "startupProbe");
    for (const name of names) {
      await pods.probed(name, worker, "livenessProbe");
      await pods.probed(name, worker, "readinessProbe");
    }

    const ask = (path: string, ...args: string[]) =>
      pods.curl("server", [
        "--fail-with-body",
        "-H",
        `Authorization: Bearer ${TOKEN}`,
        ...args,
        `http://127.0.0.1:8080${path}`,
      ]);
    const { file } = JSON.parse(await ask("/storage/upload", "-F", "file=@examples/iris/iris.csv"));
    const document = join(await temporaryDirectory(), "iris-cluster.xml");
    await writeFile(document, (await readFile(CLUSTER_IRIS, "utf8")).replace(">500<", ">40<"));
    const xml = ["-H", "Content-Type: application/xml", "--data-binary", `@${document}`];
    const location = await ask("/vinnsl", ...xml, "-o", "/dev/null", "-w", "%header{location}");
    const id = location.split("/").at(-1);
    await ask(`/vinnsl/${id}/addfile?fileId=${file}`, "-X", "PUT");
    await ask(`/worker/queue/${id}`, "-X", "PUT");
    let status = "";
    while (!/FINISHED|ERROR/.test(status)) {
      await setTimeout(200);
      status = await ask(`/status/${id}`);
    }
    expect(status).toContain("FINISHED");
    const { workers: members } = JSON.parse(await ask("/cluster"));
    expect(members.map(({ host }: { host: string }) => host).sort()).toEqual(names);
    const { result } = JSON.parse(await ask(`/vinnsl/${id}`, "-H", "Accept: application/json"));
    const { weightsSha256 } = JSON.parse(await ask(`/storage/files/${result.file}?download=false`));
    const data = ["--data", join(ROOT, "examples/iris/iris.csv")];
    expect(weightsSha256).toBe(await plainly([document, ...data, "--workers", "1", "--replicas", "3"]));

    for (const { child } of [...workers, server]) child.kill("SIGTERM");
    const ended = await Promise.all([...workers, server].map((each) => each.ended));
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([130, 130, 0]);
  });

  it.skipIf(!isOnPath("mpirun.openmpi"))("the MPIJob's launcher trains (needs Open MPI)", async () => {
    const [launcher, worker] = await Promise.all([
      podOf("mpi", "MPIJob ringstrasse-mpi Launcher"),
      podOf("mpi", "MPIJob ringstrasse-mpi Worker"),
    ]);
    await using pods = await Pods.start(["ringstrasse-mpi-launcher"]);
    // Its ranks run in the workers' pods, where the volumes are; here all is one pod.
    const { command = [] } = launcher.container;
    expect(command).toEqual(["mpirun"]);
    const container = { ...launcher.container, volumeMounts: worker.container.volumeMounts };
    const template = worker.template;
    const started = await pods.run({
      name: "ringstrasse-mpi-launcher",
      pod: { ...launcher, template, container },
      token: TOKEN,
      command: ["mpirun.openmpi", "--oversubscribe"],
      args: ["--epochs", "20"],
    });
    const { exitCode, stdout, stderr } = await started.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const weightsSha256 = await plainly([IRIS, "--replicas", "2", "--epochs", "20"]);
    expect(eventsOf(stdout).at(-1)).toMatchObject({ event: "finished", workers: 2, weightsSha256 });
  });
});
