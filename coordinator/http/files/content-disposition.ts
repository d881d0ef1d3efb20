/**
 * The header that gives a file its name: as plain ASCII for old clients and exactly for the others. Pure. Source: RFC 6266, RFC 8187.
 */
export function contentDisposition(kind: "attachment" | "inline", fileName: string): string {
  const plain = fileName.replace(/[^ -~]|["\\%/;]/g, "_");
  const exact = encodeURIComponent(fileName.replace(/\p{Surrogate}/gu, "_")).replace(/['()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return `${kind}; filename="${plain}"; filename*=UTF-8''${exact}`;
}
