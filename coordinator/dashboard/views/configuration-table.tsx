import type { StartedEvent } from "../../../shared/train-events.js";

/** The effective configuration, every default filled in, with the source of each value where it is told. */
export function ConfigurationTable({ started }: { readonly started: StartedEvent | null }) {
  return (
    <section aria-labelledby="configuration-title">
      <h2 id="configuration-title">Configuration</h2>
      {started === null ? (
        <p class="muted">Known once the job has started.</p>
      ) : (
        <table class="configuration">
          <tbody>
            {rowsOf(started).map(({ option, value, source }) => (
              <tr key={option}>
                <th scope="row">{option}</th>
                <td>
                  <code>{value}</code>
                </td>
                <td class="muted">{source}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

interface ConfigurationRow {
  readonly option: string;
  readonly value: string;
  readonly source: string;
}

function rowsOf({ configuration, trainRows, testRows, stepsPerEpoch }: StartedEvent): ConfigurationRow[] {
  const { sources, ...options } = configuration;
  const known = typeof sources === "object" && sources !== null ? new Map(Object.entries(sources)) : new Map();
  const rows = Object.entries(options).map(([option, value]) => ({
    option,
    value: textOf(value),
    source: known.has(option) ? textOf(known.get(option)) : "",
  }));
  const counted = Object.entries({ trainRows, testRows, stepsPerEpoch });
  return [...rows, ...counted.map(([option, value]) => ({ option, value: String(value), source: "data" }))];
}

function textOf(value: unknown): string {
  if (value === null) return "–";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([name, inner]) => `${name} ${textOf(inner)}`)
      .join(", ");
  }
  return String(value);
}
