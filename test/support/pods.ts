import { execFile, spawnSync } from "node:child_process";
import { chown, mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { isOnPath } from "./is-on-path.js";
import type { DescribedPod } from "./manifests.js";
import { ROOT, type RunningCommand, startProcess } from "./run-command.js";

const SCRIPT = join(ROOT, "test/cluster/pods.sh");
const NEEDED = ["ip", "nsenter", "unshare", "setpriv", "chroot", "curl"];
/** Of images. */
const PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin";
const USER = 1000;

/** Why there can be no pods on this machine; null: there can. */
export function podProblem(): string | null {
  const missing = NEEDED.filter((command) => !isOnPath(command));
  if (missing.length > 0) return `without ${missing.join(", ")}`;
  const overlay =
    "mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r";
  const { status, stderr } = spawnSync("unshare", ["--net", "--uts", "--mount", "sh", "-c", overlay], {
    encoding: "utf8",
  });
  return status === 0 ? null : `without the right to make namespaces and mount overlays: ${stderr.trim()}`;
}

export interface PodStart {
  readonly name: string;
  readonly pod: DescribedPod;
  /** Of the Secret. */
  readonly token: string;
  /** That Kubernetes sets beside the manifest's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Behind the manifest's own. */
  readonly args?: readonly string[];
  /** In the place of the manifest's command. */
  readonly command?: readonly string[];
}

/**
 * The containers of manifests as processes of this machine, each on a host of its own: with the manifest's command, arguments, variables
 * and volumes, the image's entry point and variables, and what its security context leaves them (see `test/cluster/pods.sh`).
 */
export class Pods implements AsyncDisposable {
  readonly folder: string;
  #gone: Promise<void> | null = null;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** They are gone when the test has finished, at the latest. @param names of the pods: `NAME` or `NAME=ALIAS,ALIAS` */
  static async start(names: readonly string[]): Promise<Pods> {
    const pods = new Pods(await mkdtemp(join(tmpdir(), "rp-")));
    // Should the test run out of time, it doesn't come to the end of its scope.
    onTestFinished(() => pods[Symbol.asyncDispose]());
    await promisify(execFile)(SCRIPT, ["up", pods.folder, ...names]);
    return pods;
  }

  /** A claim's folder on this machine. */
  async volume(claim: string): Promise<string> {
    const path = join(this.folder, "volumes", claim);
    await mkdir(path, { recursive: true });
    await chown(path, USER, USER);
    return path;
  }

  /** It is killed when the test finishes, should it still run. */
  async run({ name, pod, token, env = {}, args = [], command }: PodStart): Promise<RunningCommand> {
    const image = await readImage();
    const { container, template } = pod;
    const variables = { ...image.env, PATH, HOME: "/home/node", ...(await this.#variables(pod, name, token)), ...env };
    const mounts = [
      `${ROOT}:/opt/ringstrasse:ro`,
      // A link, in some clones, to where the user of a pod may not go.
      `${await realpath(join(ROOT, "node_modules"))}:/opt/node_modules:ro`,
      `${dirname(process.execPath)}:/usr/local/bin:ro`,
    ];
    for (const { name: volume, mountPath, readOnly } of container.volumeMounts) {
      const claim = template.spec.volumes.find((each) => each.name === volume)?.persistentVolumeClaim?.claimName;
      // Folders without a claim are the pod's own, and gone with it.
      if (claim !== undefined) mounts.push(`${await this.volume(claim)}:${mountPath}${readOnly === true ? ":ro" : ""}`);
    }
    const line = [...(command ?? container.command ?? image.entrypoint), ...container.args, ...args];
    const pairs = Object.entries(variables).map(([variable, value]) => `${variable}=${value}`);
    return startProcess(SCRIPT, ["on", this.folder, name, ...mounts, "--", "env", "-i", ...pairs, ...line], {});
  }

  /** Asks a pod something over HTTP, from its own network. @returns what curl writes */
  async curl(name: string, args: readonly string[]): Promise<string> {
    const network = `/run/netns/${basename(this.folder)}-${name}`;
    const { stdout } = await promisify(execFile)("nsenter", [`--net=${network}`, "curl", "--silent", ...args], {
      cwd: ROOT,
    });
    return stdout;
  }

  /** Asks what a probe of the manifest asks, until the answer is good. */
  async probed(name: string, { container }: DescribedPod, probe: "startupProbe" | "livenessProbe" | "readinessProbe") {
    const { path = "", port = "" } = container[probe]?.httpGet ?? {};
    const number = container.ports.find((each) => each.name === port)?.containerPort;
    const patience = ["--fail", "--retry", "60", "--retry-delay", "1", "--retry-connrefused"];
    await this.curl(name, [...patience, `http://127.0.0.1:${number}${path}`]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#gone ??= this.#takeDown();
    return this.#gone;
  }

  async #takeDown(): Promise<void> {
    await promisify(execFile)(SCRIPT, ["down", this.folder]);
    await rm(this.folder, { recursive: true });
  }

  async #variables({ container }: DescribedPod, name: string, token: string): Promise<Record<string, string>> {
    const hosts = await readFile(join(this.folder, "hosts"), "utf8");
    const address = new RegExp(`^(\\S+) ${name} `, "m").exec(hosts)?.[1];
    if (address === undefined) throw new Error(`there is no pod ${name}`);
    const given = ({ value, valueFrom }: DescribedPod["container"]["env"][number]): string => {
      if (value !== undefined) return value;
      if (valueFrom?.secretKeyRef !== undefined) return token;
      if (valueFrom?.fieldRef?.fieldPath === "status.podIP") return address;
      throw new Error(`nobody knows what ${JSON.stringify(valueFrom)} is`);
    };
    return Object.fromEntries(container.env.map((variable) => [variable.name, given(variable)]));
  }
}

/** What `deploy/Dockerfile` says of the image. */
async function readImage(): Promise<{ readonly env: Record<string, string>; readonly entrypoint: string[] }> {
  const text = await readFile(join(ROOT, "deploy/Dockerfile"), "utf8");
  const env = /^ENV ((?:.*\\\n)*.*)$/m.exec(text)?.[1] ?? "";
  const pairs = [...env.matchAll(/(\w+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value] as const);
  const entrypoint: string[] = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(text)?.[1] ?? "[]");
  if (pairs.length === 0 || entrypoint.length === 0) throw new Error("the Dockerfile has no ENV or ENTRYPOINT");
  return { env: Object.fromEntries(pairs), entrypoint };
}
