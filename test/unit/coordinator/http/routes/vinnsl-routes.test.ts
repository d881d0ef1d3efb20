import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import type { HttpApp } from "../../../../../coordinator/http/http-app.js";
import { parseVinnslJson } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-json.js";
import { parseVinnslXml } from "../../../../../coordinator/vinnsl/object/parse-vinnsl-xml.js";
import { withIdentifier } from "../../../../../coordinator/vinnsl/object/vinnsl-object.js";
import { irisDocument, JSON_TYPE, XML } from "../documents.js";
import { multipartForm } from "../multipart-form.js";
import { openHttpApp } from "../open-http-app.js";

const NOBODY = "5ab91658e8cc45946600ea11";
let app: HttpApp;
let iris: Buffer;

beforeEach(async () => {
  ({ app } = await openHttpApp());
  iris = await irisDocument();
});

async function post(payload: Buffer | string = iris, headers: Record<string, string> = XML, url = "/vinnsl") {
  return await app.inject({ method: "POST", url, headers, payload });
}

async function newJob(): Promise<string> {
  const { headers } = await post();
  return String(headers.location).split("/").at(-1) ?? "";
}

describe("POST /vinnsl", () => {
  it.each(["/vinnsl", "/vinnsl/"])("at %s makes a job and says where it is, with an empty body", async (url) => {
    const answer = await post(iris, XML, url);
    expect(answer.statusCode).toBe(201);
    expect(answer.body).toBe("");
    expect(answer.headers.location).toMatch(/^http:\/\/localhost:80\/vinnsl\/[0-9a-f]{24}$/);
  });

  it("takes what GET gives, as JSON", async () => {
    const id = await newJob();
    const { body } = await app.inject({ url: `/vinnsl/${id}` });
    const answer = await post(body, JSON_TYPE);
    expect(answer.statusCode).toBe(201);
    const { pathname } = new URL(String(answer.headers.location));
    const copy = await app.inject({ url: pathname });
    expect({ ...copy.json(), identifier: id }).toEqual(JSON.parse(body));
  });

  it("keeps the priority: higher waits less", async () => {
    const file = await uploaded(
      "iris.csv",
      await readFile(new URL("../../../../../examples/iris/iris.csv", import.meta.url), "utf8"),
    );
    const ids: string[] = [];
    for (const priority of [0, 7, -7]) {
      const { headers } = await post(iris, XML, `/vinnsl?priority=${priority}`);
      const id = String(headers.location).split("/").at(-1) ?? "";
      await app.inject({ method: "PUT", url: `/vinnsl/${id}/addfile?fileId=${file}` });
      const { statusCode } = await app.inject({ method: "PUT", url: `/worker/queue/${id}` });
      expect(statusCode).toBe(200);
      ids.push(id);
    }
    const [middle, first, last] = ids;
    expect((await app.inject({ url: "/worker/queue" })).json()).toEqual([first, middle, last]);
  });

  it.each(["1001", "-1001", "1.5", "x", "", "0x1", "1&priority=2"])("refuses the priority %j", async (priority) => {
    const answer = await post(iris, XML, `/vinnsl?priority=${priority}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error.message).toContain("priority");
    expect((await app.inject({ url: "/vinnsl" })).json()).toEqual([]);
  });

  it.each([
    ["no XML", "hello", XML],
    ["nothing", "", XML],
    ["XML cut short", "<vinnsl><definition>", XML],
    ["no JSON", "{", JSON_TYPE],
    ["no object", "[1]", JSON_TYPE],
    [
      "an external entity",
      '<!DOCTYPE v [<!ENTITY e SYSTEM "file:///etc/passwd">]><vinnsl><description>&e;</description></vinnsl>',
      XML,
    ],
    [
      "a bomb of entities",
      `<!DOCTYPE v [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 12 }, (_, i) => `<!ENTITY a${i} "${`&a${i - 1};`.repeat(10)}">`).join("")}]><vinnsl>&a11;</vinnsl>`,
      XML,
    ],
    ["a deep one", `${"<a>".repeat(100_000)}${"</a>".repeat(100_000)}`, XML],
    ["a key that would change prototypes", '{"definition":{"__proto__":{"x":1}}}', JSON_TYPE],
  ])("refuses %s by 400, and keeps nothing", async (_what, payload, headers) => {
    const answer = await post(payload, headers);
    expect(answer.statusCode).toBe(400);
    const { error } = answer.json();
    expect(error.code).toMatch(/^DOCUMENT_/);
    expect(error.message).not.toContain("root:");
    expect((await app.inject({ url: "/vinnsl" })).json()).toEqual([]);
  });

  it("says where a document is wrong", async () => {
    const payload = iris.toString().replace(/<size>4<\/size>/, "<size>four</size>");
    const { error } = (await post(payload)).json();
    expect(error).toMatchObject({ code: "DOCUMENT_INVALID" });
    expect(error.path).toContain("/size");
    expect(error.line).toBeGreaterThan(1);
  });

  it.each([
    ["text/plain", {}],
    ["application/x-www-form-urlencoded", {}],
    ["application/xml; charset=iso-8859-1", {}],
    ["application/xml", { "content-encoding": "gzip" }],
  ])("refuses a body that is %s %j by 415", async (type, more) => {
    const answer = await post(iris, { "content-type": type, ...more });
    expect(answer.statusCode).toBe(415);
    expect(answer.json().error).toMatchObject({ code: "UNSUPPORTED_MEDIA_TYPE" });
  });

  it("refuses a document of more than 2 MiB by 413, and takes one of less", async () => {
    const padding = (sizeBytes: number) =>
      iris.toString().replace("</vinnsl>", `<!--${"x".repeat(sizeBytes)}--></vinnsl>`);
    expect((await post(padding(2 ** 21))).statusCode).toBe(413);
    expect((await post(padding(2 ** 20))).statusCode).toBe(201);
  });
});

describe("GET /vinnsl", () => {
  it("lists all objects, oldest first", async () => {
    expect((await app.inject({ url: "/vinnsl" })).json()).toEqual([]);
    const ids = [await newJob(), await newJob(), await newJob()];
    const answer = await app.inject({ url: "/vinnsl/" });
    expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(answer.json().map(({ identifier }: { identifier: string }) => identifier)).toEqual(ids);
    expect(answer.json()[0].nncloud).toEqual({ status: "CREATED", dl4jNetwork: null });
  });

  it("answers HEAD without reading them, and refuses other types", async () => {
    await newJob();
    const head = await app.inject({ method: "HEAD", url: "/vinnsl" });
    expect([head.statusCode, head.body]).toEqual([200, ""]);
    expect((await app.inject({ url: "/vinnsl", headers: { accept: "application/xml" } })).statusCode).toBe(406);
  });

  it("gives one object as JSON or XML, the same", async () => {
    const id = await newJob();
    const json = await app.inject({ url: `/vinnsl/${id}` });
    const xml = await app.inject({ url: `/vinnsl/${id}`, headers: { accept: "text/xml" } });
    expect(xml.headers["content-type"]).toBe("application/xml; charset=utf-8");
    expect(xml.body).not.toContain("nncloud");
    expect(parseVinnslXml(xml.rawPayload)).toEqual(parseVinnslJson(json.rawPayload));
    expect(parseVinnslXml(xml.rawPayload)).toEqual(withIdentifier(parseVinnslXml(iris), id));
    expect(json.json().definition.structure.hidden).toBeInstanceOf(Array);
    const parameters = json.json().definition.parameters.valueparameterOrBoolparameterOrComboparameter;
    expect(parameters[0]).toMatchObject({ name: expect.any(String) });
  });

  it("answers HEAD with the length of GET", async () => {
    const url = `/vinnsl/${await newJob()}`;
    const get = await app.inject({ url });
    const head = await app.inject({ method: "HEAD", url });
    expect(head.body).toBe("");
    expect(head.headers["content-length"]).toBe(String(get.rawPayload.length));
  });

  it("refuses types that it doesn't have by 406", async () => {
    const answer = await app.inject({ url: `/vinnsl/${await newJob()}`, headers: { accept: "text/csv" } });
    expect([answer.statusCode, answer.json().error.code]).toEqual([406, "NOT_ACCEPTABLE"]);
  });
});

describe("PUT /vinnsl/{id}/…", () => {
  it.each([
    ["definition", "definition", "definition"],
    ["instanceschema", "instanceschema", "instance"],
    ["trainingresult", "trainingresultschema", "trainingresult"],
    ["resultschema", "resultschema", "result"],
  ] as const)("%s replaces that part and answers with the whole object", async (route, root, part) => {
    const id = await newJob();
    const before = iris.toString().match(/<definition>[\s\S]*<\/definition>/)?.[0] ?? "";
    const payload =
      part === "definition" ? before.replaceAll("Hidden1", "First") : `<${root}><own>First</own></${root}>`;
    const answer = await app.inject({ method: "PUT", url: `/vinnsl/${id}/${route}`, headers: XML, payload });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "application/xml; charset=utf-8"]);
    const asJson = (await app.inject({ url: `/vinnsl/${id}` })).json();
    expect(JSON.stringify(asJson[part])).toContain('"First"');
    expect(parseVinnslXml(answer.rawPayload)).toEqual(parseVinnslJson(Buffer.from(JSON.stringify(asJson))));
  });

  it("takes JSON, and answers in kind", async () => {
    const id = await newJob();
    const { definition } = (await app.inject({ url: `/vinnsl/${id}` })).json();
    const payload = JSON.stringify(definition).replaceAll("Hidden1", "First");
    const answer = await app.inject({ method: "PUT", url: `/vinnsl/${id}/definition`, headers: JSON_TYPE, payload });
    expect(answer.json().definition.structure.hidden[0].id).toBe("First");
  });

  it("changes nothing when the client would not take the answer, or the body is wrong", async () => {
    const id = await newJob();
    const before = (await app.inject({ url: `/vinnsl/${id}` })).body;
    const payload = "<resultschema><own>7</own></resultschema>";
    const headers = { ...XML, accept: "image/png" };
    const unacceptable = await app.inject({ method: "PUT", url: `/vinnsl/${id}/resultschema`, headers, payload });
    expect(unacceptable.statusCode).toBe(406);
    const wrong = await app.inject({ method: "PUT", url: `/vinnsl/${id}/definition`, headers: XML, payload });
    expect(wrong.statusCode).toBe(400);
    expect(wrong.json().error.message).toContain("<definition>");
    expect((await app.inject({ url: `/vinnsl/${id}` })).body).toBe(before);
  });

  it("addfile makes a stored file the data", async () => {
    const id = await newJob();
    const upload = await uploaded("iris.txt", "1,2\n");
    const answer = await app.inject({
      method: "PUT",
      url: `/vinnsl/${id}/addfile?fileId=${upload}`,
      headers: JSON_TYPE,
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().definition.data.dataSchemaID).toBe(upload);
    expect(answer.json().data.data.file).toBe(upload);
  });

  it("addfile wants a file that there is", async () => {
    const url = `/vinnsl/${await newJob()}/addfile`;
    expect((await app.inject({ method: "PUT", url })).statusCode).toBe(400);
    expect((await app.inject({ method: "PUT", url: `${url}?fileId=` })).statusCode).toBe(400);
    const unknown = await app.inject({ method: "PUT", url: `${url}?fileId=${NOBODY}` });
    expect([unknown.statusCode, unknown.json().error.code]).toEqual([404, "NOT_FOUND"]);
  });
});

describe("DELETE /vinnsl", () => {
  it("deletes one, and all", async () => {
    const [first, second] = [await newJob(), await newJob()];
    const headers = JSON_TYPE;
    const one = await app.inject({ method: "DELETE", url: `/vinnsl/${first}`, headers });
    expect([one.statusCode, one.body]).toEqual([200, ""]);
    expect((await app.inject({ url: `/vinnsl/${first}` })).statusCode).toBe(404);
    expect((await app.inject({ url: `/vinnsl/${second}` })).statusCode).toBe(200);
    const all = await app.inject({ method: "DELETE", url: "/vinnsl/deleteall" });
    expect([all.statusCode, all.json()]).toEqual([200, { message: "all vinnsl deleted" }]);
    expect((await app.inject({ url: "/vinnsl" })).json()).toEqual([]);
  });
});

describe("an id that there is not", () => {
  it.each([
    ["GET", ""],
    ["DELETE", ""],
    ["PUT", "/definition"],
    ["PUT", `/addfile?fileId=${NOBODY}`],
  ] as const)("is 404 for %s …%s, whatever it looks like", async (method, rest) => {
    for (const id of [NOBODY, "nothing", "..%2f..%2fetc%2fpasswd", "%00", "%F0%9F%98%80", "x".repeat(300)]) {
      const body = rest === "/definition" ? { headers: XML, payload: "<definition/>" } : {};
      const answer = await app.inject({ method, url: `/vinnsl/${id}${rest}`, ...body });
      expect([id, answer.statusCode, answer.json().error.code]).toEqual([id, 404, "NOT_FOUND"]);
    }
  });
});

async function uploaded(name: string, content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const form = await multipartForm({ file: new File([content], name) });
  const answer = await app.inject({ method: "POST", url: "/storage", ...form });
  return answer.json().file;
}
