import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parsePythonIndex } from "../../../../coordinator/engines/python-index.js";
import { readRegistryAddresses } from "../../../../coordinator/engines/registry-addresses.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

describe("registries", () => {
  let home: string;
  beforeEach(async () => {
    home = await temporaryDirectory();
  });
  const read = (environment: Readonly<Record<string, string>> = {}) =>
    readRegistryAddresses({
      environment: { ["HOME"]: home, ...environment },
      projectDirectory: join(home, "project"),
      execPath: join(home, "node/bin/node"),
    });
  async function put(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text);
  }

  it("are the public ones, unless npm and pip are set to others", async () => {
    const { npm, certificates } = await read({ ["PIP_CONFIG_FILE"]: "/dev/null" });
    expect(npm("x")).toEqual({ url: "https://registry.npmjs.org", authorization: null, from: "default" });
    expect(certificates).toEqual([]);
  });

  it("are npm's: variable over project over user over prefix", async () => {
    await put("node/etc/npmrc", "registry=https://prefix.example/");
    expect((await read()).npm("x").url).toBe("https://prefix.example");
    await put(".npmrc", "; mine\nregistry = https://user.example/npm/\n//user.example/npm/:_authToken=\x24{TOKEN}\n");
    expect((await read({ ["TOKEN"]: "abc" })).npm("x")).toEqual({
      url: "https://user.example/npm",
      authorization: "Bearer abc",
      from: join(home, ".npmrc"),
    });
    await put("project/.npmrc", "@tensorflow:registry=https://scoped.example\nregistry=https://project.example");
    const { npm } = await read();
    expect([npm("x").url, npm("@tensorflow/tfjs-node").url]).toEqual([
      "https://project.example",
      "https://scoped.example",
    ]);
    expect((await read({ ["NPM_CONFIG_REGISTRY"]: "https://env.example/" })).npm("x")).toMatchObject({
      url: "https://env.example",
      from: "NPM_CONFIG_REGISTRY",
    });
  });

  it("are pip's: variable over files, its own section over the global one, secrets out of the address", async () => {
    await put(".config/pip/pip.conf", "[global]\nindex_url = https://a.example/simple/\ncert = /ca.pem\n");
    const first = await read();
    expect(first.pypi).toMatchObject({ url: "https://a.example/simple", from: join(home, ".config/pip/pip.conf") });
    expect(first.certificates).toEqual(["/ca.pem"]);
    await put(
      "venv/pip.conf",
      "[global]\nindex-url=https://no.example\n[install]\nindex-url = https://u:p%40s@b.example/",
    );
    const second = await read({ ["VIRTUAL_ENV"]: join(home, "venv") });
    expect(second.pypi).toEqual({
      url: "https://b.example",
      authorization: `Basic ${Buffer.from("u:p@s").toString("base64")}`,
      from: join(home, "venv/pip.conf"),
    });
    expect((await read({ ["PIP_INDEX_URL"]: "http://c.example/simple" })).pypi.from).toBe("PIP_INDEX_URL");
    const none = await read({ ["PIP_CONFIG_FILE"]: "/dev/null" });
    expect(none.pypi).toEqual({ url: "https://pypi.org/simple", authorization: null, from: "default" });
  });
});

describe("a page of a Python index", () => {
  const hash = "0123456789abcdef".repeat(4);

  it("is read as JSON", () => {
    const page = JSON.stringify({
      meta: { ["api-version"]: "1.1" },
      files: [
        { filename: "a-1.whl", url: "../../a-1.whl", hashes: { sha256: hash.toUpperCase() }, size: 5 },
        { filename: "b-1.whl", url: "https://cdn.example/b-1.whl", hashes: {} },
      ],
    });
    expect(parsePythonIndex(page, "https://i.example/simple/a/")).toEqual([
      { file: "a-1.whl", url: "https://i.example/a-1.whl", hash: `sha256-${hash}` },
      { file: "b-1.whl", url: "https://cdn.example/b-1.whl", hash: null },
    ]);
  });

  it("is read as HTML, whatever the quotes, attributes and entities", () => {
    const page = `\n<!DOCTYPE html><a href='/f/a-1.whl?x=1&amp;y=2#sha256=${hash}' data-requires-python="&gt;=3.9">a-1.whl</a>
      <A data-x="1" HREF="b-1%2Bcpu.whl">b-1&#43;cpu.whl</A>`;
    expect(parsePythonIndex(page, "https://i.example/simple/a/")).toEqual([
      { file: "a-1.whl", url: "https://i.example/f/a-1.whl?x=1&y=2", hash: `sha256-${hash}` },
      { file: "b-1+cpu.whl", url: "https://i.example/simple/a/b-1%2Bcpu.whl", hash: null },
    ]);
  });

  it("is nothing else", () => {
    for (const text of ["", "hello", "{", '{"files": 3}', "[]"]) expect(parsePythonIndex(text, "http://x/")).toBeNull();
  });
});
