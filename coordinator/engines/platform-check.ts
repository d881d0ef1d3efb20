import process from "node:process";
import { z } from "zod";
import { platformName } from "../../shared/engine-store/engine-directory.js";
import { engineUnavailable } from "./engine-failure.js";
import type { EngineRecipe } from "./engine-recipe.js";

/** What of the machine decides whether prebuilt libraries run on it. */
export interface Platform {
  /** e.g. `linux-x64` */
  readonly name: string;
  /** Version of the GNU C library in use, `[major, minor]`; null: another C library. */
  readonly glibc: readonly [number, number] | null;
}

const ReportSchema = z.object({ header: z.object({ glibcVersionRuntime: z.string().optional() }) });

/** This process's platform. */
export function currentPlatform(): Platform {
  const { header } = ReportSchema.parse(process.report.getReport());
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(header.glibcVersionRuntime ?? "") ?? [];
  const glibc = major === undefined || minor === undefined ? null : ([Number(major), Number(minor)] as const);
  return { name: platformName(), glibc };
}

/** @throws RingstrasseError ENGINE_UNAVAILABLE when the recipe's libraries can't run there */
export function checkPlatform({ release, platform, glibc }: EngineRecipe, here: Platform): void {
  const engine = release.name;
  const alternative = `Use --engine wasm, or install ${release.officialPackage} in your project if it supports this platform`;
  if (here.name !== platform) {
    const problem = `there is no library for ${here.name}, only for ${platform}`;
    throw engineUnavailable({ engine, problem, remedy: alternative });
  }
  const needed = glibc.join(".");
  if (here.glibc === null) {
    const problem = `its libraries need the GNU C library ${needed} or newer, and this system has another C library (musl?)`;
    throw engineUnavailable({
      engine,
      problem,
      remedy: "Use --engine wasm, or a system such as Debian or Rocky Linux",
    });
  }
  const [major, minor] = here.glibc;
  if (major > glibc[0] || (major === glibc[0] && minor >= glibc[1])) return;
  const problem = `its libraries need the GNU C library ${needed} or newer, and this system has ${major}.${minor}`;
  throw engineUnavailable({ engine, problem, remedy: "Use --engine wasm, or a newer system" });
}
