import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import type { Plugin } from "rolldown";

const FOLDER = `${sep}node_modules${sep}`;

/**
 * Writes THIRD-PARTY-NOTICES.txt beside the bundle: name, version and licence text of every package that has come into it, as their
 * licences ask for.
 * @throws when a package says nothing about its licence: then somebody has to look
 */
export function thirdPartyNotices(): Plugin {
  return {
    name: "third-party-notices",
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
      const folders = [...new Set(modules.flatMap(packageFolder))].sort();
      const notices = [...new Set(folders.map(noticeOf))].sort();
      this.emitFile({
        type: "asset",
        fileName: "THIRD-PARTY-NOTICES.txt",
        source: notices.join(`\n${"-".repeat(80)}\n\n`),
      });
    },
  };
}

/** `…/node_modules/@scope/name/lib/x.js` → `…/node_modules/@scope/name` */
function packageFolder(id: string): string[] {
  const at = id.lastIndexOf(FOLDER);
  if (at === -1 || id.startsWith("\0")) return [];
  const [first = "", second = ""] = id.slice(at + FOLDER.length).split(sep);
  return [id.slice(0, at) + FOLDER + (first.startsWith("@") ? join(first, second) : first)];
}

function noticeOf(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { name, version, license } = manifest as Partial<Record<"name" | "version" | "license", string>>;
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  if (typeof license !== "string" && texts.length === 0) throw new Error(`${folder} says nothing about its licence`);
  const heading = `${name} ${version} (${license ?? "see below"})\n`;
  return [heading, ...texts.sort().map((file) => `${readFileSync(join(folder, file), "utf8").trim()}\n`)].join("\n");
}
