import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { isCertificateError, openHttpClient } from "../../../../coordinator/engines/http-client.js";
import { isOnPath } from "../../../support/is-on-path.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** A certificate of 127.0.0.1 that vouches for itself, with its key: two PEM files. */
async function selfSigned(folder: string, name: string) {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  await promisify(execFile)("openssl", [...request, ...names, "-keyout", key, "-out", cert]);
  return { cert, key };
}

/** A certificate of 127.0.0.1 that an authority of its own vouches for; without the authority's, which a server should send too. */
async function signedByUnknown(folder: string) {
  const authority = await selfSigned(folder, "authority");
  const [cert, key, request] = [join(folder, "leaf.pem"), join(folder, "leaf.key"), join(folder, "leaf.csr")];
  const openssl = (parameters: string[]) => promisify(execFile)("openssl", parameters);
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1"];
  await openssl(["req", ...kind, "-keyout", key, "-out", request]);
  const by = ["-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial"];
  await openssl(["x509", "-req", "-in", request, ...by, "-days", "2", "-out", cert]);
  return { cert, key };
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe("the HTTP client", () => {
  it.each([
    [{}, 1],
    [{ ["no_proxy"]: "localhost,127.0.0.1" }, 0],
    [{ ["NO_PROXY"]: "*" }, 0],
  ])("goes through the proxy of the environment, except with %j", async (exception, tunnels) => {
    const target = await listen(createServer((_request, response) => response.end("there")));
    let count = 0;
    const sockets = new Set<Socket>();
    const proxy = createServer().on("connect", (request, client: Socket) => {
      count += 1;
      const [host = "", port] = (request.url ?? "").split(":");
      const onward = connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(onward).pipe(client);
      });
      for (const socket of [client, onward]) {
        sockets.add(socket);
        socket.on("error", () => socket.destroy());
      }
    });
    const port = await listen(proxy);
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await using http = openHttpClient({ ["HTTP_PROXY"]: `http://127.0.0.1:${port}`, ...exception }, []);
    const { signal } = new AbortController();
    const response = await http.get(`http://127.0.0.1:${target}/`, { headers: {}, signal });
    expect(await response.text()).toBe("there");
    expect(count).toBe(tunnels);
  });

  it("needs the certificate files that npm and pip are set to", async () => {
    const path = join(await temporaryDirectory(), "ca.pem");
    expect(() => openHttpClient({}, [path])).toThrow("ENOENT");
    await writeFile(path, "");
    await openHttpClient({}, [path])[Symbol.asyncDispose]();
  });

  it.skipIf(!isOnPath("openssl"))(
    "trusts those of npm and pip beside those of NODE_EXTRA_CA_CERTS (needs openssl)",
    async () => {
      const folder = await temporaryDirectory();
      const [proxy, mirror] = [await selfSigned(folder, "proxy"), await selfSigned(folder, "mirror")];
      const identity = { cert: await readFile(proxy.cert), key: await readFile(proxy.key) };
      const port = await listen(createTlsServer(identity, (_request, response) => response.end("there")));
      const { signal } = new AbortController();
      const get = async (environment: Record<string, string>): Promise<string> => {
        await using http = openHttpClient(environment, [mirror.cert]);
        return await (await http.get(`https://127.0.0.1:${port}/`, { headers: {}, signal })).text();
      };
      expect(await get({ NODE_EXTRA_CA_CERTS: proxy.cert })).toBe("there");
      await expect(get({ NODE_EXTRA_CA_CERTS: join(folder, "nowhere.pem") })).rejects.toThrow("fetch failed");
    },
  );
});

describe("what is wrong with a certificate", () => {
  it.skipIf(!isOnPath("openssl"))(
    "is told from a fault of the network, also where a server does not say who vouches for it (needs openssl)",
    async () => {
      const { cert, key } = await signedByUnknown(await temporaryDirectory());
      const identity = { cert: await readFile(cert), key: await readFile(key) };
      const port = await listen(createTlsServer(identity));
      const plain = await listen(createServer());
      await using http = openHttpClient({}, []);
      const { signal } = new AbortController();
      const thrown = await http.get(`https://127.0.0.1:${port}/`, { headers: {}, signal }).catch((error) => error);
      expect(thrown.cause).toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
      expect(isCertificateError(thrown)).toBe(true);
      // A plain server speaks no TLS: nothing is said of a certificate.
      const other = await http.get(`https://127.0.0.1:${plain}/`, { headers: {}, signal }).catch((error) => error);
      expect(other).toBeInstanceOf(TypeError);
      expect(isCertificateError(other)).toBe(false);
    },
  );

  it.each([
    ["CERT_HAS_EXPIRED", true],
    ["ERR_TLS_CERT_ALTNAME_INVALID", true],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", true],
    ["INVALID_CA", true],
    ["HOSTNAME_MISMATCH", true],
    ["ECONNRESET", false],
    ["UND_ERR_CONNECT_TIMEOUT", false],
  ])("is what %s means: %s", (code, isCertificate) => {
    const thrown = new TypeError("fetch failed", { cause: Object.assign(new Error("why"), { code }) });
    expect(isCertificateError(thrown)).toBe(isCertificate);
  });
});
