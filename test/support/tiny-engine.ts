import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { createTar } from "nanotar";
import type { EngineRecipe } from "../../coordinator/engines/engine-recipe.js";
import { platformName } from "../../shared/engine-store/engine-directory.js";
import { engineRelease } from "../../shared/engine-store/engine-release.js";
import type { EngineLocation } from "../../shared/engine-store/locate-engine.js";
import { type ServedFile, sourceOf } from "./registry-server.js";
import { zipFile } from "./zip-file.js";

const run = promisify(execFile);

/** Building a real one, however small, takes a compiler. */
export const HAS_COMPILER =
  process.platform === "linux" && (existsSync("/usr/bin/g++") || existsSync("/usr/local/bin/g++"));

const LIBRARY = 'extern "C" const char* TF_Version() { return "0.1.2-tiny"; }\n';
const FRAMEWORK = 'extern "C" int TF_Nothing() { return 0; }\n';
const C_API = 'extern "C" const char* TF_Version();\n';
const NODE_API = `#include <cstddef>
typedef struct napi_env__* napi_env; typedef struct napi_value__* napi_value;
extern "C" { int napi_create_string_utf8(napi_env, const char*, size_t, napi_value*);
int napi_set_named_property(napi_env, napi_value, const char*, napi_value); }
`;
const BINDING = `#include <node_api.h>
#include "tensorflow/c/c_api.h"
extern "C" __attribute__((visibility("default"))) int node_api_module_get_api_version_v1() { return NAPI_VERSION; }
extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value version; napi_create_string_utf8(env, TF_Version(), (size_t)-1, &version);
  napi_set_named_property(env, exports, "TF_Version", version); return exports; }
`;

export interface TinyEngine {
  readonly recipe: EngineRecipe;
  readonly files: readonly ServedFile[];
}

/** A wheel and two npm packages like the real ones, but a few hundred kilobytes: a library that only knows its version. */
export async function makeTinyEngine(): Promise<TinyEngine> {
  const [cc, framework] = await Promise.all([library(LIBRARY, "libtensorflow_cc.so.2"), library(FRAMEWORK, "f")]);
  const wheel = zipFile([
    { name: "tensorflow/__init__.py", data: Buffer.from("raise SystemExit") },
    { name: "tensorflow/libtensorflow_cc.so.2", data: cc },
    { name: "tensorflow/libtensorflow_framework.so.2", data: framework },
    // Doesn't compress: the archive takes several pieces on its way.
    { name: "tensorflow/include/LICENSE", data: randomBytes(400_000) },
    { name: "tensorflow/include/tensorflow/c/c_api.h", data: Buffer.from(C_API) },
  ]);
  const tfjs = packageOf({ "package/binding/tfjs_binding.cc": BINDING, "package/dist/index.js": "never" });
  const headers = packageOf({ "package/include/node_api.h": NODE_API });
  const files = [
    served(wheel, {
      registry: "pypi",
      package: "tensorflow-cpu",
      file: "tensorflow_cpu-1.0.0-x.whl",
      take: [
        { pattern: /^tensorflow\/(libtensorflow_\w+\.so\.2)$/, into: "tensorflow/$1" },
        { pattern: /^tensorflow\/include\/(tensorflow\/.+)$/, into: "build/include/$1" },
        { pattern: /^tensorflow\/include\/LICENSE$/, into: "licences/tensorflow.txt" },
      ],
    }),
    served(tfjs, {
      registry: "npm",
      package: "@tensorflow/tfjs-node",
      file: "tfjs-node-1.0.0.tgz",
      take: [{ pattern: /^package\/(binding\/.+)$/, into: "build/$1" }],
    }),
    served(headers, {
      registry: "npm",
      package: "node-api-headers",
      file: "node-api-headers-1.0.0.tgz",
      take: [{ pattern: /^package\/include\/(.+)$/, into: "build/node/$1" }],
    }),
  ];
  return { files, recipe: recipeFor(files) };
}

function recipeFor(files: readonly ServedFile[]): EngineRecipe {
  return {
    release: engineRelease("tensorflow"),
    platform: platformName(),
    glibc: [2, 17],
    sources: files.map(({ source }) => source),
    compile: {
      sources: ["build/binding/tfjs_binding.cc"],
      includeDirectories: ["build/node", "build/include"],
      defines: ["NAPI_VERSION=8"],
      libraryDirectory: "tensorflow",
      libraries: ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"],
      output: "binding/tfjs_binding.node",
    },
    installedBytes: 2_000_000,
  };
}

/** Loads an engine's binding in a process of its own. @throws with what that process said */
export async function versionOf({ bindingPath }: EngineLocation): Promise<string> {
  const program = `process.stdout.write(require(${JSON.stringify(bindingPath)}).TF_Version)`;
  return (await run(process.execPath, ["-e", program])).stdout;
}

function served(bytes: Uint8Array, given: Parameters<typeof sourceOf>[0]): ServedFile {
  return { source: sourceOf(given, bytes), bytes };
}

function packageOf(files: Readonly<Record<string, string>>): Buffer {
  return gzipSync(createTar(Object.entries(files).map(([name, data]) => ({ name, data }))));
}

async function library(source: string, soname: string): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "ringstrasse-test-"));
  try {
    const path = join(directory, "library.cc");
    await writeFile(path, source);
    const output = join(directory, "library.so");
    await run("g++", ["-shared", "-fPIC", `-Wl,-soname,${soname}`, path, "-o", output]);
    return await readFile(output);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
