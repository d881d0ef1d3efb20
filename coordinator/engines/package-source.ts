/** One file of a public package registry that an engine is made of, pinned to its bytes. */
export interface PackageSource {
  readonly registry: "pypi" | "npm";
  readonly package: string;
  readonly version: string;
  /** The file's name at the registry. */
  readonly file: string;
  readonly sizeBytes: number;
  /** What the registry publishes: PyPI `sha256-HEX`, npm `sha512-BASE64`. */
  readonly hash: string;
  /** What of the archive is needed; everything else stays in it. */
  readonly take: readonly TakeRule[];
}

/**
 * Files whose whole name in the archive matches; `into` is the replacement (`$1`…), a path in the engine's directory.
 */
export interface TakeRule {
  readonly pattern: RegExp;
  readonly into: string;
  /** Default false: an archive without any such file is refused. */
  readonly isOptional?: boolean;
}

/** Where a source's file lies at the registry that is in use. */
export interface LocatedSource {
  readonly source: PackageSource;
  readonly url: string;
  /** An `authorization` header for that address; null where none is needed. */
  readonly authorization: string | null;
}

/** The path that an archive's file is to be written to; null: not needed. Pure. */
export function placeOf(source: PackageSource, entry: string): string | null {
  const rule = source.take.find(({ pattern }) => pattern.test(entry));
  return rule === undefined ? null : entry.replace(rule.pattern, rule.into);
}

/** e.g. `tensorflow-cpu 2.18.1` */
export function sourceTitle({ package: name, version }: PackageSource): string {
  return `${name} ${version}`;
}

export interface ExpectedHash {
  readonly algorithm: string;
  /** Lower-case. */
  readonly hex: string;
}

/** Takes `sha256-HEX` and `sha512-BASE64` apart. @throws RangeError for anything else. */
export function parseHash(hash: string): ExpectedHash {
  const [, algorithm, value] = /^(sha256|sha512)-(.+)$/.exec(hash) ?? [];
  if (algorithm === undefined || value === undefined) throw new RangeError(`${hash} is no hash of a registry`);
  const hex = algorithm === "sha256" ? value.toLowerCase() : Buffer.from(value, "base64").toString("hex");
  return { algorithm, hex };
}
