/** As what a secret would be found in a recording: itself, in hex, and in base64 wherever in a longer text it stood. */
export function tracesOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // The first and the last characters also tell of what stands next to it.
    return text.slice(before === 0 ? 0 : 4, 4 * Math.floor((before + bytes.length) / 3));
  });
  return [secret, bytes.toString("hex"), bytes.toString("hex").toUpperCase(), ...base64];
}
