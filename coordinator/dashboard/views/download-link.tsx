import { useState } from "preact/hooks";
import type { JobFile } from "../../../shared/api/job-detail.js";
import type { ApiClient } from "../api/api-client.js";
import { type ApiProblem, toProblem } from "../api/api-error.js";
import { formatBytes } from "../stores/format.js";
import { ProblemNote } from "./problem-note.js";

/** A file of a job. A plain link where that is enough; with a token, which a link can't carry, it is fetched and then saved. */
export function DownloadLink({ api, file }: { readonly api: ApiClient; readonly file: JobFile }) {
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const fetchAndSave = async () => {
    try {
      save(await api.download(file.href), file.name);
      setProblem(null);
    } catch (thrown) {
      setProblem(toProblem(thrown));
    }
  };
  const clicked = (event: Event) => {
    if (!api.hasToken) return;
    event.preventDefault();
    void fetchAndSave();
  };
  return (
    <>
      <a href={file.href} download={file.name} onClick={clicked}>
        {file.name}
      </a>
      {file.sizeBytes === null ? null : <span class="muted"> {formatBytes(file.sizeBytes)}</span>}
      {problem === null ? null : <ProblemNote problem={problem} />}
    </>
  );
}

function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
