import { describe, expect, it } from "vitest";
import { LatestText } from "../../../../../coordinator/dashboard/controllers/latest-text.js";
import { type Deferred, deferred } from "../../../../../shared/deferred.js";

/** A file whose reading the test ends. */
function slowFile(name: string) {
  const content: Deferred<string> = deferred();
  return { name, content, text: () => content.promise };
}

function listener() {
  const heard: string[] = [];
  return { heard, read: (text: string) => heard.push(text), failed: (problem: string) => heard.push(problem) };
}

describe("LatestText", () => {
  it("is the text of the file that was chosen last, whichever was read first", async () => {
    const [first, second, latest, { heard, ...told }] = [slowFile("a"), slowFile("b"), new LatestText(), listener()];
    const readings = [latest.read(first, told), latest.read(second, told)];
    second.content.resolve("<second/>");
    first.content.resolve("<first/>");
    await Promise.all(readings);
    expect(heard).toEqual(["<second/>"]);
  });

  it("gives way to what was typed meanwhile", async () => {
    const [file, latest, { heard, ...told }] = [slowFile("a"), new LatestText(), listener()];
    const reading = latest.read(file, told);
    latest.supersede();
    file.content.resolve("<late/>");
    await reading;
    expect(heard).toEqual([]);
  });

  it("says which file can't be read", async () => {
    const [file, { heard, ...told }] = [slowFile("net.xml"), listener()];
    const reading = new LatestText().read(file, told);
    file.content.reject(new Error("The file could not be read."));
    await reading;
    expect(heard).toEqual(["net.xml can't be read: The file could not be read. Choose it again"]);
  });
});
