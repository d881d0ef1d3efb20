// Installs what its first argument describes, in a process that tests can kill. Prints every event as a line of JSON.
// node tiny-install.mjs SPECIFICATION.json ENVIRONMENT, with patterns as text, and the variables as JSON.
import { readFileSync } from "node:fs";
import process from "node:process";
import { openHttpClient } from "../../dist/coordinator/engines/http-client.js";
import { installEngine } from "../../dist/coordinator/engines/install-engine.js";
import { currentPlatform } from "../../dist/coordinator/engines/platform-check.js";

const { recipe, root, url } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const print = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const address = (path) => ({ url: `${url}/${path}`, authorization: null, from: "test" });
const sources = recipe.sources.map((source) => ({
  ...source,
  take: source.take.map(({ pattern, into }) => ({ pattern: new RegExp(pattern), into })),
}));
const http = openHttpClient({}, []);
const installed = await installEngine({
  recipe: { ...recipe, sources },
  root,
  platform: currentPlatform(),
  http,
  registries: { npm: () => address("npm"), pypi: address("simple"), certificates: [] },
  environment: JSON.parse(process.argv[3]),
  check: () => Promise.resolve(),
  force: false,
  emit: print,
  signal: new AbortController().signal,
});
print(installed);
await http[Symbol.asyncDispose]();
