import { useState } from "preact/hooks";
import type { ApiClient } from "../api/api-client.js";
import { type ApiProblem, toProblem } from "../api/api-error.js";
import { ProblemNote } from "./problem-note.js";

/** The job's ViNNSL document, read when it is opened. */
export function DocumentPanel({ api, id }: { readonly api: ApiClient; readonly id: string }) {
  const [xml, setXml] = useState<string | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const read = async () => {
    try {
      setXml(await api.document(id));
      setProblem(null);
    } catch (thrown) {
      setProblem(toProblem(thrown));
    }
  };
  return (
    <details class="document" onToggle={(event) => (event.currentTarget.open ? void read() : undefined)}>
      <summary>ViNNSL document</summary>
      {problem === null ? null : <ProblemNote problem={problem} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>{xml ?? (problem === null ? "Reading…" : "")}</pre>
    </details>
  );
}
