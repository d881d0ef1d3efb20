/** Section → name → value; what stands before the first section is under `""`. */
export type Settings = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Reads an INI file as npm and pip write them: `name = value`, comments by `#` and `;`, `[sections]`, values in quotes
 * or not. Names of
 * pip's settings may have `_` for `-`. Pure.
 */
export function parseSettings(text: string): Settings {
  const sections = new Map<string, Map<string, string>>();
  let section = "";
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const [, title] = /^\[(.+)\]$/.exec(line) ?? [];
    if (title !== undefined) {
      section = title.trim();
      continue;
    }
    const [, name, value] = /^([^=]+?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const settings = sections.get(section) ?? new Map<string, string>();
    sections.set(section, settings);
    settings.set(section === "" ? name : name.replaceAll("_", "-"), value.replace(/^(["'])(.*)\1$/, "$2"));
  }
  return sections;
}
