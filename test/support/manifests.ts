import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { ROOT } from "./run-command.js";

export const MANIFESTS = join(ROOT, "deploy/kubernetes");

const variable = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .strictObject({
      secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }).optional(),
      fieldRef: z.strictObject({ fieldPath: z.string() }).optional(),
    })
    .optional(),
});
const probe = z.looseObject({
  httpGet: z.strictObject({ path: z.string(), port: z.string() }).optional(),
  tcpSocket: z.strictObject({ port: z.string() }).optional(),
});
const ContainerSchema = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()),
  env: z.array(variable).default([]),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.number() })).default([]),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  resources: z.strictObject({ requests: z.record(z.string(), z.string()), limits: z.record(z.string(), z.string()) }),
  securityContext: z.looseObject({}),
  volumeMounts: z
    .array(z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }))
    .default([]),
});
const PodTemplateSchema = z.strictObject({
  metadata: z.strictObject({ labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({
    subdomain: z.string().optional(),
    restartPolicy: z.string().optional(),
    terminationGracePeriodSeconds: z.number(),
    automountServiceAccountToken: z.boolean(),
    enableServiceLinks: z.boolean(),
    securityContext: z.looseObject({}),
    containers: z.array(ContainerSchema).length(1),
    volumes: z.array(
      z.strictObject({
        name: z.string(),
        persistentVolumeClaim: z.strictObject({ claimName: z.string() }).optional(),
        emptyDir: z.strictObject({ sizeLimit: z.string() }).optional(),
      }),
    ),
  }),
});
const ManifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({}).optional(),
});

export type Container = z.infer<typeof ContainerSchema>;
export type PodTemplate = z.infer<typeof PodTemplateSchema>;
export type Manifest = z.infer<typeof ManifestSchema>;

/** A pod as one of the manifests describes it. */
export interface DescribedPod {
  /** e.g. `Job ringstrasse-train`. */
  readonly of: string;
  readonly template: PodTemplate;
  readonly container: Container;
}

export function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.join("\n"));
    return ManifestSchema.parse(document.toJS());
  });
}

/** Files of a folder of `deploy/kubernetes/` that hold objects for the cluster. */
export async function manifestFiles(folder: string): Promise<string[]> {
  const names = await readdir(join(MANIFESTS, folder));
  return names.filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml").sort();
}

export async function manifestsOf(folder: string): Promise<Manifest[]> {
  const files = await manifestFiles(folder);
  const texts = await Promise.all(files.map((name) => readFile(join(MANIFESTS, folder, name), "utf8")));
  return texts.flatMap(manifestsIn);
}

const replica = z.looseObject({ template: PodTemplateSchema });
const Templated = z.looseObject({ template: PodTemplateSchema });
const Replicated = z.looseObject({ mpiReplicaSpecs: z.strictObject({ Launcher: replica, Worker: replica }) });

/** The pods that these manifests describe. */
export function describedPods(manifests: readonly Manifest[]): DescribedPod[] {
  return manifests.flatMap(({ kind, metadata, spec }) => {
    const of = `${kind} ${metadata.name}`;
    if (kind === "MPIJob") {
      const { Launcher, Worker } = Replicated.parse(spec).mpiReplicaSpecs;
      return [describedPod(`${of} Launcher`, Launcher.template), describedPod(`${of} Worker`, Worker.template)];
    }
    return spec !== undefined && "template" in spec ? [describedPod(of, Templated.parse(spec).template)] : [];
  });
}

function describedPod(of: string, template: PodTemplate): DescribedPod {
  const [container] = template.spec.containers;
  if (container === undefined) throw new Error(`${of} has no container`);
  return { of, template, container };
}

/** @param of e.g. `Job ringstrasse-train` */
export async function podOf(folder: string, of: string): Promise<DescribedPod> {
  const pod = describedPods(await manifestsOf(folder)).find((each) => each.of === of);
  if (pod === undefined) throw new Error(`${folder} has no ${of}`);
  return pod;
}
