/** The largest document, or other body but an upload, that a server takes, unless it is told otherwise. In bytes. */
export const MAX_BODY_BYTES = 2 * 2 ** 20;
