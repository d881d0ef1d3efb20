import type { AddressInfo } from "node:net";
import { unbindable } from "../../shared/transport/socket-failure.js";
import { createHttpApp, type HttpAppOptions } from "./http-app.js";

/** A REST interface that listens. Disposing of it ends open streams at once, and lets running requests end for a few seconds. */
export interface ListeningHttp extends AsyncDisposable {
  /** With the real port, without a final slash. */
  readonly url: string;
}

/** @throws RingstrasseError ENDPOINT_UNAVAILABLE when the address can't be had */
export async function listenHttp(
  options: HttpAppOptions,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<ListeningHttp> {
  const app = await createHttpApp(options);
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw unbindable(`http://${authority(host, port)}`, cause);
  }
  const { port: realPort } = app.server.address() as AddressInfo;
  return { url: `http://${authority(host, realPort)}`, [Symbol.asyncDispose]: () => app.close() };
}

function authority(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
