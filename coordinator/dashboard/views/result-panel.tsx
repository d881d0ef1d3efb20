import type { JobDetail } from "../../../shared/api/job-detail.js";
import type { ApiClient } from "../api/api-client.js";
import { CopyableId } from "./copyable-id.js";
import { DownloadLink } from "./download-link.js";

/** What the job has left behind: hashes, model, result files. */
export function ResultPanel({ api, detail }: { readonly api: ApiClient; readonly detail: JobDetail }) {
  const { result, files } = detail;
  return (
    <section aria-labelledby="result-title">
      <h2 id="result-title">Results</h2>
      {result === null ? (
        <p class="muted">Known once the job has finished.</p>
      ) : (
        <dl class="result">
          <dt>Engine, collective</dt>
          <dd>
            {result.engine}, {result.collective}
            {result.ordered ? ", ordered: the same bits on any number of workers" : ", not ordered"}
          </dd>
          <dt>Weights SHA-256</dt>
          <dd>
            <CopyableId value={result.weightsSha256} what="the hash of the weights" />
          </dd>
          <dt>State SHA-256</dt>
          <dd>
            <CopyableId value={result.stateSha256} what="the hash of the state" />
          </dd>
        </dl>
      )}
      {files.length === 0 ? null : (
        <ul class="files">
          {files.map((file) => (
            <li key={file.href}>
              <DownloadLink api={api} file={file} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
