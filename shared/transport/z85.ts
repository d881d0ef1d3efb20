const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const GROUP_BYTES = 4;
const GROUP_CHARACTERS = 5;

/** Bytes as ZeroMQ writes keys: five characters for four bytes (https://rfc.zeromq.org/spec/32/). @throws RangeError for a length that is no multiple of 4 */
export function z85(bytes: Uint8Array): string {
  if (bytes.byteLength % GROUP_BYTES !== 0) throw new RangeError(`${bytes.byteLength} bytes are no multiple of 4`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let at = 0; at < bytes.byteLength; at += GROUP_BYTES) {
    let rest = view.getUint32(at);
    let group = "";
    for (let digit = 0; digit < GROUP_CHARACTERS; digit++) {
      group = (ALPHABET[rest % ALPHABET.length] ?? "") + group;
      rest = Math.floor(rest / ALPHABET.length);
    }
    text += group;
  }
  return text;
}
