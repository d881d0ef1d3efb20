/** What a library of MPI calls itself, from the whole text that it has for it. Pure. */
export function libraryVersion(text: string): string {
  return (text.split(/\n|, /)[0] ?? "").replaceAll(/\s+/g, " ").trim();
}
