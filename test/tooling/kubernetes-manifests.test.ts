import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { SERVE_COMMAND, TRAIN_COMMAND } from "../../coordinator/cli/commands.js";
import type { OptionTable } from "../../shared/cli/option-table.js";
import { type CommandDefinition, parseCommand } from "../../shared/cli/parse-command.js";
import { launchedPlace } from "../../shared/launch/launched-place.js";
import { WORKER_COMMAND } from "../../worker/cli/commands.js";
import {
  type DescribedPod,
  describedPods,
  MANIFESTS,
  type Manifest,
  manifestFiles,
  manifestsOf,
} from "../support/manifests.js";

const FOLDERS = ["base", "job", "mpi"] as const;
const COMMANDS: Readonly<Record<string, CommandDefinition<OptionTable>>> = {
  serve: SERVE_COMMAND,
  train: TRAIN_COMMAND,
  worker: WORKER_COMMAND,
};
const manifests = Object.fromEntries(
  await Promise.all(FOLDERS.map(async (folder) => [folder, await manifestsOf(folder)] as const)),
);
const all: Manifest[] = Object.values(manifests).flat();
const pods = describedPods(all);

/** What the pod's command is given: command, arguments, environment. */
async function parsed({ container }: DescribedPod) {
  const { args } = container;
  // mpirun and Node.js stand before it.
  const at = container.command === undefined ? 0 : args.findIndex((each) => each.endsWith("/ringstrasse.js")) + 1;
  const [name = "", ...rest] = args.slice(at);
  const command = COMMANDS[name];
  if (command === undefined) throw new Error(`${name} is no command`);
  const environment = Object.fromEntries(container.env.map((each) => [each.name, each.value ?? "some-secret-value"]));
  return await parseCommand(command, { args: rest, environment, version: "0" });
}

const isSelected = (labels: Record<string, string>, selector: object): boolean =>
  Object.entries(selector).every(([label, value]) => labels[label] === value);

describe("Kubernetes manifests", () => {
  it.each(FOLDERS)("%s: the kustomization names all of its files", async (folder) => {
    const { resources } = parse(await readFile(join(MANIFESTS, folder, "kustomization.yaml"), "utf8"));
    expect([...resources].sort()).toEqual(await manifestFiles(folder));
  });

  it.each(pods)("$of may do no more than it must", ({ template, container }) => {
    expect(template.spec).toMatchObject({
      automountServiceAccountToken: false,
      // Services of the namespace must not become options: RINGSTRASSE_PORT.
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        fsGroup: 1000,
        seccompProfile: { type: "RuntimeDefault" },
      },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(Object.keys(container.resources.requests)).toEqual(["cpu", "memory"]);
    expect(container.resources.limits["memory"]).toMatch(/^\d+(Mi|Gi)$/);
    // A server puts its jobs back, a run saves its state.
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(60);
  });

  it.each(pods.filter(({ container }) => container.command?.[0] !== "/usr/sbin/sshd"))(
    "$of has options that its command knows",
    async (pod) => {
      expect(await parsed(pod)).toHaveProperty("values");
      await expect(
        parsed({ ...pod, container: { ...pod.container, args: [...pod.container.args, "--no-such"] } }),
      ).rejects.toThrow("--no-such");
    },
  );

  it.each(pods)("$of mounts what it declares, from claims that are there, and names its own ports", (pod) => {
    const { spec } = pod.template;
    const { volumeMounts, ports, startupProbe, livenessProbe, readinessProbe } = pod.container;
    expect(new Set(volumeMounts.map(({ name }) => name))).toEqual(new Set(spec.volumes.map(({ name }) => name)));
    const claims = spec.volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
    const known = all.filter(({ kind }) => kind === "PersistentVolumeClaim").map(({ metadata }) => metadata.name);
    for (const claim of claims) expect(known).toContain(claim);
    const probed = [startupProbe, livenessProbe, readinessProbe].flatMap(
      (each) => each?.httpGet?.port ?? each?.tcpSocket?.port ?? [],
    );
    for (const port of probed) expect(ports.map(({ name }) => name)).toContain(port);
    const secrets = pod.container.env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
    for (const secret of secrets) expect(secret).toEqual({ name: "ringstrasse", key: "token" });
  });

  it("select pods that are there: services, policies, budgets, controllers", () => {
    const labels = pods.map(({ template }) => template.metadata.labels);
    const Selecting = z.looseObject({
      selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()).optional() }).optional(),
      podSelector: z.looseObject({ matchLabels: z.record(z.string(), z.string()) }).optional(),
    });
    let selectors = 0;
    for (const { kind, metadata, spec } of all) {
      const { selector, podSelector } = Selecting.parse(spec ?? {});
      const wanted = podSelector?.matchLabels ?? selector?.matchLabels ?? selector;
      if (wanted === undefined) continue;
      selectors += 1;
      expect(
        labels.filter((each) => isSelected(each, wanted)),
        `${kind} ${metadata.name}`,
      ).toHaveLength(1);
    }
    expect(selectors).toBe(9);
  });

  it("the Job's ranks agree on how many they are, and where the first is", () => {
    const job = all.find(({ kind }) => kind === "Job");
    const service = all.find(({ kind, metadata }) => kind === "Service" && metadata.name === job?.metadata.name);
    const [pod] = describedPods(job === undefined ? [] : [job]);
    const variables = Object.fromEntries((pod?.container.env ?? []).map(({ name, value }) => [name, value]));
    const { completions, parallelism, completionMode } = job?.spec ?? {};
    expect({ completions, parallelism, completionMode }).toEqual({
      completions: Number(variables["WORLD_SIZE"]),
      parallelism: completions,
      completionMode: "Indexed",
    });
    expect(service?.spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true });
    expect(pod?.template.spec.subdomain).toBe(service?.metadata.name);
    expect(variables["MASTER_ADDR"]).toBe(`${job?.metadata.name}-0.${service?.metadata.name}`);
    const place = launchedPlace({ ...variables, JOB_COMPLETION_INDEX: String(Number(completions) - 1) });
    expect(place).toMatchObject({ launcher: "kubernetes", worldSize: completions, rank: Number(completions) - 1 });
  });

  it("the autoscaler has a StatefulSet whose number nobody else sets", () => {
    const [scaler] = all.filter(({ kind }) => kind === "HorizontalPodAutoscaler");
    const workers = all.find(({ kind }) => kind === "StatefulSet");
    expect(scaler?.spec).toMatchObject({
      scaleTargetRef: { apiVersion: workers?.apiVersion, kind: "StatefulSet", name: workers?.metadata.name },
    });
    expect(workers?.spec).not.toHaveProperty("replicas");
  });

  it("the MPIJob has the fields of kubeflow.org/v2beta1, and as many slots as ranks", () => {
    const replicas = z.strictObject({ replicas: z.number(), restartPolicy: z.literal("Never"), template: z.unknown() });
    // Of the operator's types (v0.6); nothing else checks them here.
    const MpiJob = z.strictObject({
      mpiImplementation: z.enum(["OpenMPI", "Intel", "MPICH"]),
      slotsPerWorker: z.number(),
      runLauncherAsWorker: z.boolean().optional(),
      launcherCreationPolicy: z.enum(["AtStartup", "WaitForWorkersReady"]),
      sshAuthMountPath: z.string(),
      runPolicy: z.strictObject({
        cleanPodPolicy: z.enum(["Running", "None", "All"]),
        backoffLimit: z.number(),
        ttlSecondsAfterFinished: z.number().optional(),
        activeDeadlineSeconds: z.number().optional(),
        suspend: z.boolean().optional(),
      }),
      mpiReplicaSpecs: z.strictObject({ Launcher: replicas, Worker: replicas }),
    });
    const job = all.find(({ kind }) => kind === "MPIJob");
    expect(job?.apiVersion).toBe("kubeflow.org/v2beta1");
    const { mpiReplicaSpecs, slotsPerWorker } = MpiJob.parse(job?.spec);
    const launcher = pods.find(({ of }) => of.endsWith("Launcher"))?.container;
    const ranks = launcher?.args[launcher.args.indexOf("-np") + 1];
    expect(Number(ranks)).toBe(mpiReplicaSpecs.Worker.replicas * slotsPerWorker);
  });
});
