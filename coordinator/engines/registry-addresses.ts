import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { EnvironmentVariables } from "../../shared/engine-store/engine-directory.js";
import { isSystemError } from "../../shared/write-failure.js";
import { parseSettings, type Settings } from "./settings-file.js";

export interface RegistryAddress {
  /** Without a final slash and without user and password. */
  readonly url: string;
  /** `authorization` header, sent to this origin only; null: none. */
  readonly authorization: string | null;
  /** Where the address was found, for messages: a variable, a file, or `default`. */
  readonly from: string;
}

export interface RegistryAddresses {
  /** For packages of the scope `@tensorflow`, and all others. */
  npm(packageName: string): RegistryAddress;
  readonly pypi: RegistryAddress;
  /** PEM files of further certificate authorities. */
  readonly certificates: readonly string[];
}

export interface RegistrySurroundings {
  readonly environment: EnvironmentVariables;
  /** Whose `.npmrc` counts. */
  readonly projectDirectory: string;
  /** Of the node binary: its prefix has the global npmrc. */
  readonly execPath: string;
}

const NPM_DEFAULT = "https://registry.npmjs.org";
const PYPI_DEFAULT = "https://pypi.org/simple";

interface Found {
  readonly value: string;
  readonly from: string;
}

/**
 * Registries as npm and pip would use them on this machine: many sites have mirrors. npm: `npm_config_registry` (in any
 * case), `.npmrc` of
 * project, user, prefix; pip: `PIP_INDEX_URL`, `PIP_CONFIG_FILE`, pip.conf of virtual environment, user, system.
 */
export async function readRegistryAddresses(surroundings: RegistrySurroundings): Promise<RegistryAddresses> {
  const npm = await npmSettings(surroundings);
  const pip = await pipSettings(surroundings.environment);
  const index = pip("index-url") ?? { value: PYPI_DEFAULT, from: "default" };
  const certificates = [npm("cafile"), pip("cert")].flatMap((found) => (found === null ? [] : [found.value]));
  return {
    npm: (packageName) => {
      const [, scope] = /^(@[^/]+)\//.exec(packageName) ?? [];
      const scoped = scope === undefined ? null : npm(`${scope}:registry`);
      const address = registryAddress(scoped ?? npm("registry") ?? { value: NPM_DEFAULT, from: "default" });
      return { ...address, authorization: address.authorization ?? npmAuthorization(address.url, npm) };
    },
    pypi: registryAddress(index),
    certificates: [...new Set(certificates)],
  };
}

type Lookup = (name: string) => Found | null;

/** User and password are taken out of the address: they must not appear in messages and manifests. */
function registryAddress({ value, from }: Found): RegistryAddress {
  const url = new URL(value);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  const secret = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = username === "" ? null : `Basic ${Buffer.from(secret).toString("base64")}`;
  return { url: url.href.replace(/\/+$/, ""), authorization, from };
}

/** npm keeps secrets by address: `//host/path/:_authToken`. */
function npmAuthorization(registry: string, lookup: Lookup): string | null {
  const place = registry.replace(/^https?:/, "");
  const token = lookup(`${place}/:_authToken`) ?? lookup(`${place}:_authToken`);
  if (token !== null) return `Bearer ${token.value}`;
  const basic = lookup(`${place}/:_auth`) ?? lookup(`${place}:_auth`);
  return basic === null ? null : `Basic ${basic.value}`;
}

async function npmSettings({ environment, projectDirectory, execPath }: RegistrySurroundings): Promise<Lookup> {
  const variables = new Map<string, Found>();
  for (const [name, value] of Object.entries(environment)) {
    const [, setting] = /^npm_config_(.+)$/i.exec(name) ?? [];
    if (setting === undefined || value === undefined || value === "") continue;
    variables.set(setting.startsWith("//") ? setting : setting.toLowerCase(), { value, from: name });
  }
  const userFile = variables.get("userconfig")?.value ?? join(homeOf(environment), ".npmrc");
  const globalFile = variables.get("globalconfig")?.value ?? join(dirname(dirname(execPath)), "etc", "npmrc");
  const files = await readSettings([join(projectDirectory, ".npmrc"), userFile, globalFile]);
  const expand = (value: string): string =>
    value.replace(/\$\{([^}]+)\}/g, (whole, name: string) => environment[name] ?? whole);
  return (name) => {
    const given = variables.get(name.replaceAll("-", "_")) ?? variables.get(name);
    if (given !== undefined) return given;
    for (const { path, settings } of files) {
      const value = settings.get("")?.get(name);
      if (value !== undefined && value !== "") return { value: expand(value), from: path };
    }
    return null;
  };
}

async function pipSettings(environment: EnvironmentVariables): Promise<Lookup> {
  const home = homeOf(environment);
  const configHome = environment["XDG_CONFIG_HOME"] || join(home, ".config");
  const virtual = environment["VIRTUAL_ENV"];
  const named = environment["PIP_CONFIG_FILE"];
  // Strongest first. `PIP_CONFIG_FILE=/dev/null` means no files at all.
  const files =
    named === "/dev/null"
      ? []
      : await readSettings([
          ...(named === undefined || named === "" ? [] : [named]),
          ...(virtual === undefined || virtual === "" ? [] : [join(virtual, "pip.conf")]),
          join(configHome, "pip", "pip.conf"),
          join(home, ".pip", "pip.conf"),
          "/etc/pip.conf",
          "/etc/xdg/pip/pip.conf",
        ]);
  return (name) => {
    const variable = `PIP_${name.replaceAll("-", "_").toUpperCase()}`;
    const given = environment[variable];
    if (given !== undefined && given !== "") return { value: given, from: variable };
    for (const { path, settings } of files) {
      const value = settings.get("install")?.get(name) ?? settings.get("global")?.get(name);
      if (value !== undefined && value !== "") return { value, from: path };
    }
    return null;
  };
}

function homeOf(environment: EnvironmentVariables): string {
  return environment["HOME"] || homedir();
}

async function readSettings(paths: readonly string[]): Promise<{ path: string; settings: Settings }[]> {
  const found: { path: string; settings: Settings }[] = [];
  for (const path of paths) {
    const text = await readIfThere(path);
    if (text !== null) found.push({ path, settings: parseSettings(text) });
  }
  return found;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    // npm and pip pass over files that they can't read, too.
    if (isSystemError(cause)) return null;
    throw cause;
  }
}
