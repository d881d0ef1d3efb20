/** Native engines: TensorFlow's C library behind the Node-API binding of @tensorflow/tfjs-node. */
export const NATIVE_ENGINE_NAMES = ["tensorflow", "tensorflow-gpu"] as const;
export type NativeEngineName = (typeof NATIVE_ENGINE_NAMES)[number];

export type EngineDevice = "cpu" | "gpu";

/** What this version of the software uses under an engine's name: one version of the library, laid out in one way. */
export interface EngineRelease {
  readonly name: NativeEngineName;
  /** Of TensorFlow. */
  readonly version: string;
  readonly device: EngineDevice;
  /** Rises whenever an install of the same version would lay out or build something else. */
  readonly revision: number;
  /** The npm package whose own installation can be used instead. */
  readonly officialPackage: string;
}

const RELEASES: Readonly<Record<NativeEngineName, EngineRelease>> = {
  tensorflow: {
    name: "tensorflow",
    version: "2.18.1",
    device: "cpu",
    revision: 1,
    officialPackage: "@tensorflow/tfjs-node",
  },
  "tensorflow-gpu": {
    name: "tensorflow-gpu",
    version: "2.18.1",
    device: "gpu",
    revision: 1,
    officialPackage: "@tensorflow/tfjs-node-gpu",
  },
};

/** The release that this version of the software works with. */
export function engineRelease(name: NativeEngineName): EngineRelease {
  return RELEASES[name];
}

/** The command that installs an engine. */
export function installCommand(name: NativeEngineName): string {
  return `ringstrasse engine install ${engineRelease(name).device}`;
}
