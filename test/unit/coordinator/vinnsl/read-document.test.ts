import { describe, expect, it } from "vitest";
import { readDocument } from "../../../../coordinator/vinnsl/read-document.js";
import { failureOf } from "./failure-of.js";

const encoder = new TextEncoder();

function read(xml: string, limits = {}) {
  return readDocument(encoder.encode(xml), "net.xml", limits);
}

function refusal(xml: string, limits = {}) {
  return failureOf(() => read(xml, limits));
}

function problemOf(xml: string): string {
  const failure = refusal(xml);
  return failure.code === "DOCUMENT_INVALID" ? failure.problem : failure.code;
}

describe("readDocument", () => {
  it("gives line, column and path of every element, with indices only where siblings repeat", () => {
    const root = read('<?xml version="1.0" encoding="UTF-8"?>\r\n<a>\r\n  <b/><c>x</c>\r\n  <b><d/></b>\r\n</a>');
    expect(root.place).toEqual({ file: "net.xml", line: 2, column: 1, elementPath: "/a" });
    expect(root.children.map(({ place }) => [place.line, place.column, place.elementPath])).toEqual([
      [3, 3, "/a/b[1]"],
      [3, 7, "/a/c"],
      [4, 3, "/a/b[2]"],
    ]);
    expect(root.children[2]?.children[0]?.place.elementPath).toBe("/a/b[2]/d");
  });

  it("decodes predefined entities and character references, once, and leaves CDATA alone", () => {
    const root = read(`<a n="&lt;&#65;">&amp;lt; &quot;&apos;&gt; &#x1F600;<![CDATA[ &amp; <x> ]]></a>`);
    expect(root.text).toBe(`&lt; "'> \u{1F600} &amp; <x>`);
    expect(root.attributes.get("n")).toBe("<A");
  });

  it("joins text around comments and children, trims it, and drops prefixes and namespace attributes", () => {
    const root = read(
      `<v:a xmlns:v="urn:v" xmlns:xsi="urn:i" xsi:schemaLocation="x y" k="1"> one<!-- not this -->two <v:b/> </v:a>`,
    );
    expect(root.name).toBe("a");
    expect(root.text).toBe("onetwo");
    expect([...root.attributes]).toEqual([["k", "1"]]);
    expect(root.children.map(({ name }) => name)).toEqual(["b"]);
  });

  it("accepts a byte order mark", () => {
    const root = readDocument(new Uint8Array([0xef, 0xbb, 0xbf, ...encoder.encode("<a/>")]), null);
    expect(root.place).toMatchObject({ file: null, line: 1, column: 1 });
  });

  it.each(["hasOwnProperty", "toString", "valueOf"])("reads an element called %s under its own name", (name) => {
    expect(read(`<a><${name}>1</${name}></a>`).children.map((child) => [child.name, child.text])).toEqual([
      [name, "1"],
    ]);
  });

  it.each(["__proto__", "constructor", "prototype"])("refuses the name %s without harm", (name) => {
    expect(refusal(`<a><${name}>1</${name}></a>`)).toMatchObject({ code: "DOCUMENT_INVALID", line: 1 });
    expect(Object.hasOwn(Object.prototype, "#text")).toBe(false);
  });

  it("refuses a billion laughs before anything is expanded", () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`,
    ).join("\n");
    const failure = refusal(
      `<?xml version="1.0"?>\n<!DOCTYPE v [<!ENTITY l0 "lol">\n${levels}]>\n<vinnsl>&l9;</vinnsl>`,
    );
    expect(failure).toMatchObject({ code: "DOCUMENT_INVALID", file: "net.xml", line: 2, column: 1 });
    expect(failure).toHaveProperty("problem", expect.stringContaining("<!ENTITY"));
    expect(failure).toHaveProperty("remedy", expect.stringContaining("Remove"));
  });

  it.each([
    ['<!DOCTYPE v SYSTEM "file:///etc/passwd"><v/>', 1, 1, null],
    ['<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]><v>&x;</v>', 1, 1, null],
    ["<v>\n<!ENTITY x 'y'></v>", 2, 1, "/v"],
    ["<v>\n  <?php echo 1 ?></v>", 2, 3, "/v"],
    ['<?xml-stylesheet href="a"?><v/>', 1, 1, null],
    [' <?xml version="1.0"?><v/>', 1, 2, null],
    ['<?xml version="1.0" encoding="ISO-8859-1"?><v/>', 1, 1, null],
    ["<v>a &x; b</v>", 1, 6, "/v"],
    ["<v>\n &nbsp;</v>", 2, 2, "/v"],
    ["<v>&#0;</v>", 1, 4, "/v"],
    ["<v>&#xD800;</v>", 1, 4, "/v"],
    ["<v>&#x110000;</v>", 1, 4, "/v"],
    ['<v a="&x;"/>', 1, 7, "/v"],
    ["<v><w/><n:w/><w>&x;</w></v>", 1, 17, "/v/w[3]"],
    ['<v><w/><w a="<"/></v>', 1, 14, "/v/w[2]"],
    ["<v><w></v></w>", 1, 7, "/v/w"],
    ["<v><w></w><w><u>", 1, 14, "/v/w[2]/u"],
    ["<v>\n<w/><w b=1/></v>", 2, 8, "/v/w[2]"],
    ["<v><w>\u0001&x;</w></v>", 1, 7, "/v/w"],
    ["<v><w/>text<1/></v>", 1, 14, "/v/1"],
    ["<v><w/><w a='\u0001'/></v>", 1, 14, "/v/w[2]"],
    ["<v>\n<w/><__proto__/></v>", 2, 5, "/v/__proto__"],
    ['<v a="__proto__" prototype="1"/>', 1, 1, "/v"],
    ["<v/>text", 1, 5, null],
  ])("refuses %j at its place, in its element", (xml, line, column, elementPath) => {
    expect(refusal(xml)).toMatchObject({ code: "DOCUMENT_INVALID", file: "net.xml", line, column, elementPath });
  });

  it.each([
    ["learning rate 0.1", 1, "outside the root"],
    ["<a>\n<b>\n</c></a>", 3, "</b>"],
    ["<a>\n<b></a>", 2, "</b>"],
    ["<a>\n<b>", 2, "<b> is never closed"],
    ["<a>\n<b/>", 1, "<a> is never closed"],
    ["<a", 1, "not closed"],
    ["<a/>\n<b/>", 2, "second root"],
    ["<a/>\ntext", 2, "outside the root"],
    ["</a>", 1, "end tag"],
    ["<a/></a>", 1, "end tag"],
    ["<a>\n&</a>", 2, 'bare "&"'],
    ["<a>\n]]></a>", 2, "]]>"],
    ["<a><!-- a -- b --></a>", 1, "--"],
    ["<a><!-- a", 1, "comment is not closed"],
    ["<a><![CDATA[ a</a>", 1, "CDATA"],
    ["<![CDATA[ a ]]><a/>", 1, "CDATA"],
    ["<?xml version='1.0'", 1, "<?"],
    ["<a b='1' b='2'/>", 1, "repeated"],
    ["<a b=1/>", 1, "not XML"],
    ["<a b='<'/>", 1, '"<"'],
    ["<a b='1/>", 1, "not closed"],
    ["<1a/>", 1, "invalid name"],
    ["<a>\u0001</a>", 1, "U+0001"],
    ["<!-- nothing -->", 1, "not XML"],
  ])("says that %j is not XML", (xml, line, words) => {
    expect(problemOf(xml)).toContain(words);
    expect(refusal(xml)).toMatchObject({ code: "DOCUMENT_INVALID", line, remedy: expect.stringMatching(/\w/) });
  });

  it.each(["", " \n\t", "\uFEFF"])("refuses the empty document %j", (xml) => {
    expect(problemOf(xml)).toBe("the document is empty");
  });

  it("refuses bytes that are not UTF-8, at their place", () => {
    const bytes = new Uint8Array([...encoder.encode("<a>\nb"), 0xff, ...encoder.encode("</a>")]);
    const failure = failureOf(() => readDocument(bytes, "net.xml"));
    expect(failure).toMatchObject({ code: "DOCUMENT_INVALID", line: 2, column: 2, elementPath: "/a" });
    expect(failure).toHaveProperty("problem", "the document is not UTF-8 text");
  });

  it("refuses UTF-16", () => {
    const bytes = new Uint8Array(Buffer.from("\uFEFF<a/>", "utf16le"));
    expect(failureOf(() => readDocument(bytes, null)).code).toBe("DOCUMENT_INVALID");
  });

  it("reads 64 levels and refuses the 65th at its tag", () => {
    const nested = (depth: number) => "<a>".repeat(depth) + "</a>".repeat(depth);
    expect(read(nested(64)).name).toBe("a");
    expect(refusal(nested(65))).toMatchObject({ code: "DOCUMENT_INVALID", line: 1, column: 64 * 3 + 1 });
    expect(problemOf(nested(100_000))).toContain("64 levels");
  });

  it("holds to its limits on size and number of elements", () => {
    expect(read("<a><b/><b/></a>", { maxElements: 3, maxSizeBytes: 15 }).children).toHaveLength(2);
    expect(refusal("<a><b/><b/></a>", { maxElements: 2 })).toMatchObject({ code: "DOCUMENT_INVALID", column: 8 });
    const tooLong = refusal("<a><b/><b/></a>", { maxSizeBytes: 14 });
    expect(tooLong).toHaveProperty("problem", "the document has 15 bytes; at most 14 are read");
    expect(refusal("<a/>".padEnd(16 * 1024 * 1024 + 1)).code).toBe("DOCUMENT_INVALID");
  });

  it("reads long documents: no search runs over the rest of the text again and again", () => {
    // With a quadratic search these take longer than a test may.
    const attributes = Array.from({ length: 50_000 }, (_, index) => `a${index}="${index}"`).join(" ");
    expect(read(`<a ${attributes}/>`).attributes.size).toBe(50_000);
    expect(read(`<a>${"<b>1</b>".repeat(150_000)}&amp;</a>`).children).toHaveLength(150_000);
    expect(refusal(`<a>${"<!--".repeat(1_000_000)}`).code).toBe("DOCUMENT_INVALID");
    expect(refusal(`<a>${"&".repeat(1_000_000)}</a>`).code).toBe("DOCUMENT_INVALID");
  });
});
