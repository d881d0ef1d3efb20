/** What of an OpenAPI document the page shows. */
interface Described {
  readonly info?: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, unknown>>;
}

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses?: Readonly<Record<string, Answer>>;
}

interface Answer {
  readonly description?: string;
  readonly content?: Readonly<Record<string, unknown>>;
}

const METHODS = ["get", "post", "put", "delete"] as const;

/** A page that lists all operations: without scripts, and nothing from elsewhere. Pure. */
export function docsPage({ info, paths = {} }: Described): string {
  const title = escapeHtml(`${info?.title ?? ""} ${info?.version ?? ""}`);
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = (item as Partial<Record<string, Operation>>)[method];
      return operation === undefined ? [] : [operationHtml(method, path, operation)];
    }),
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="stylesheet" href="/docs/style.css"></head>
<body><h1>${title}</h1><p>${escapeHtml(info?.description ?? "")}</p>
<p>For programs: <a href="/docs/json">/docs/json</a> (OpenAPI 3.1)</p>
${operations.join("\n")}
</body></html>
`;
}

export const docsStyle = `:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
h2 { border-top: 1px solid; font-family: ui-monospace, monospace; font-size: 1rem; margin-top: 2rem; padding-top: 1rem; }
td { padding-right: 1rem; vertical-align: top; }
`;

function operationHtml(method: string, path: string, operation: Operation): string {
  const { summary = "", parameters = [], requestBody, responses = {} } = operation;
  const lines = parameters.map(({ in: where, name, required }) => {
    return row(`${where} ${name}`, required ? "required" : "optional");
  });
  if (requestBody !== undefined) lines.push(row("body", Object.keys(requestBody.content).join(", ")));
  for (const [status, { description = "", content = {} }] of Object.entries(responses)) {
    lines.push(row(status, [description, ...Object.keys(content)].join(" · ")));
  }
  const heading = `<h2>${method.toUpperCase()} ${escapeHtml(path)}</h2>`;
  return `${heading}<p>${escapeHtml(summary)}</p><table>${lines.join("")}</table>`;
}

function row(name: string, value: string): string {
  return `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(value)}</td></tr>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
