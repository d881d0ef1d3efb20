import { type EngineRelease, engineRelease, type NativeEngineName } from "../../shared/engine-store/engine-release.js";
import type { PackageSource, TakeRule } from "./package-source.js";

/**
 * How one release of an engine is made. Paths in `take` are relative to the engine's directory; what goes to `build/`
 * is needed for
 * compiling only and not kept.
 */
export interface EngineRecipe {
  readonly release: EngineRelease;
  /** e.g. `linux-x64`; others are refused. */
  readonly platform: string;
  /** Oldest glibc that the libraries run on, `[major, minor]`. */
  readonly glibc: readonly [number, number];
  readonly sources: readonly PackageSource[];
  readonly compile: CompileRecipe;
  /** Of all files that are kept, about: for the check of the disk. */
  readonly installedBytes: number;
}

export interface CompileRecipe {
  /** Within the engine's directory. */
  readonly sources: readonly string[];
  readonly includeDirectories: readonly string[];
  readonly defines: readonly string[];
  readonly libraryDirectory: string;
  /** File names in `libraryDirectory`. */
  readonly libraries: readonly string[];
  /** The module to be made. */
  readonly output: string;
}

const MIB = 2 ** 20;

/** The wheel's own layout is kept: its libraries find each other by paths relative to themselves. */
const LIBRARIES: TakeRule = {
  pattern: /^tensorflow\/(libtensorflow_(?:cc|framework)\.so\.2)$/,
  into: "tensorflow/$1",
};
const HEADERS: TakeRule = {
  pattern: /^tensorflow\/include\/((?:tensorflow\/c|tensorflow\/core\/platform|tsl\/platform|xla\/tsl\/c)\/.+\.h)$/,
  into: "build/include/$1",
};
const LICENCE: TakeRule = { pattern: /^tensorflow\/include\/LICENSE$/, into: "licences/tensorflow.txt" };
const NVIDIA: readonly TakeRule[] = [
  { pattern: /^(nvidia\/[a-z_]+\/lib\/[^/]+\.so[.0-9]*)$/, into: "$1", isOptional: true },
  // Some kernels are compiled for the GPU at hand.
  { pattern: /^(nvidia\/cuda_nvcc\/(?:bin\/ptxas|nvvm\/libdevice\/[^/]+))$/, into: "$1", isOptional: true },
  {
    pattern: /^(nvidia_[a-z0-9_]+)-[^/]+\.dist-info\/(?:licenses\/)?License\.txt$/,
    into: "licences/$1.txt",
    isOptional: true,
  },
];

/** The binding's sources and the stable interface that they are compiled against; the same for both devices. */
const BINDING_SOURCES: readonly PackageSource[] = [
  {
    registry: "npm",
    package: "@tensorflow/tfjs-node",
    version: "4.22.0",
    file: "tfjs-node-4.22.0.tgz",
    sizeBytes: 228_166,
    hash: "sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==",
    take: [{ pattern: /^package\/(binding\/[^/]+\.(?:cc|h))$/, into: "build/$1" }],
  },
  {
    registry: "npm",
    package: "node-api-headers",
    version: "1.9.0",
    file: "node-api-headers-1.9.0.tgz",
    sizeBytes: 16_974,
    hash: "sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==",
    take: [{ pattern: /^package\/include\/([^/]+\.h)$/, into: "build/node/$1" }],
  },
];

const COMPILE: CompileRecipe = {
  sources: ["build/binding/tfjs_backend.cc", "build/binding/tfjs_binding.cc"],
  includeDirectories: ["build/node", "build/include", "build/binding"],
  defines: ["NAPI_VERSION=8"],
  libraryDirectory: "tensorflow",
  libraries: ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"],
  output: "binding/tfjs_binding.node",
};

function tensorflowWheel(name: "tensorflow-cpu" | "tensorflow", sizeBytes: number, sha256: string): PackageSource {
  const file = `${name.replace("-", "_")}-2.18.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl`;
  const take = [LIBRARIES, HEADERS, LICENCE];
  return { registry: "pypi", package: name, version: "2.18.1", file, sizeBytes, hash: `sha256-${sha256}`, take };
}

/** `[package, version, bytes, sha256]`: what `tensorflow[and-cuda]` 2.18.1 asks for. */
const NVIDIA_WHEELS: readonly (readonly [string, string, number, string])[] = [
  ["nvidia-cublas-cu12", "12.5.3.2", 363_313_169, "ca070ad70e9fa6654084575d01bd001f30cc4665e33d4bb9fc8e0f321caa034b"],
  ["nvidia-cuda-cupti-cu12", "12.5.82", 13_811_507, "bde77a5feb66752ec61db2adfe47f56b941842825b4c7e2068aff27c9d107953"],
  ["nvidia-cuda-nvcc-cu12", "12.5.82", 22_468_537, "b03e545b8e8c3ce7ebcd7fc44063180ff52ff01d064ece2127ed90a04ef12cd0"],
  ["nvidia-cuda-nvrtc-cu12", "12.5.82", 24_873_108, "3dbd97b0104b4bfbc3c4f8c79cd2496307c89c43c29a9f83125f1d76296ff3fd"],
  ["nvidia-cuda-runtime-cu12", "12.5.82", 895_707, "3e79a060e126df40fd3a068f3f787eb000fa51b251ec6cd97d09579632687115"],
  ["nvidia-cudnn-cu12", "9.3.0.75", 577_163_502, "9ad9c6929ebb5295eb4a1728024666d1c88283373e265a0c5c883e6f9d5cd76d"],
  ["nvidia-cufft-cu12", "11.2.3.61", 192_524_114, "9a6e8df162585750f61983a638104a48c756aa13f9f48e19ab079b38e3c828b8"],
  ["nvidia-curand-cu12", "10.3.6.82", 56_309_107, "2823fb27de4e44dbb22394a6adf53aa6e1b013aca0f8c22867d1cfae58405536"],
  [
    "nvidia-cusolver-cu12",
    "11.6.3.83",
    130_341_232,
    "93cfafacde4428b71778eeb092ec615a02a3d05404da1bcf91c53e3fa1bce42b",
  ],
  ["nvidia-cusparse-cu12", "12.5.1.3", 217_558_979, "016df8e993c437e8301e62739f01775cba988fd5253cd4c64173f8e8d2f8e752"],
  ["nvidia-nccl-cu12", "2.21.5", 188_654_414, "8579076d30a8c24988834445f8d633c697d42397e92ffc3f63fa26766d25e0a0"],
  ["nvidia-nvjitlink-cu12", "12.5.82", 21_298_879, "f9b37bc5c8cf7509665cb6ada5aaa0ce65618f2332b7d3e78e9790511f111212"],
];

function nvidiaWheel([name, version, sizeBytes, sha256]: (typeof NVIDIA_WHEELS)[number]): PackageSource {
  const file = `${name.replaceAll("-", "_")}-${version}-py3-none-manylinux2014_x86_64.whl`;
  return { registry: "pypi", package: name, version, file, sizeBytes, hash: `sha256-${sha256}`, take: NVIDIA };
}

const RECIPES: Readonly<Record<NativeEngineName, EngineRecipe>> = {
  tensorflow: {
    release: engineRelease("tensorflow"),
    platform: "linux-x64",
    glibc: [2, 17],
    sources: [
      tensorflowWheel(
        "tensorflow-cpu",
        230_236_181,
        "810c75d7149d2da0cb2092187817b0dcabb80728ca9f9cf3a61f3f42fadd1298",
      ),
      ...BINDING_SOURCES,
    ],
    compile: COMPILE,
    installedBytes: 655 * MIB,
  },
  "tensorflow-gpu": {
    release: engineRelease("tensorflow-gpu"),
    platform: "linux-x64",
    glibc: [2, 17],
    sources: [
      tensorflowWheel("tensorflow", 615_510_377, "c9f87e5d2a680a4595f5dc30daf6bbaec9d4129b46d7ef1b2af63c46ac7d2828"),
      ...NVIDIA_WHEELS.map(nvidiaWheel),
      ...BINDING_SOURCES,
    ],
    compile: COMPILE,
    installedBytes: 3900 * MIB,
  },
};

/** How this version of the software makes an engine. */
export function engineRecipe(name: NativeEngineName): EngineRecipe {
  return RECIPES[name];
}
