import type { ApiProblem } from "../api/api-error.js";

/** What the server refused, with its code and, for a document, the place. Announced to screen readers. */
export function ProblemNote({ problem, title }: { readonly problem: ApiProblem; readonly title?: string }) {
  const { code, message, path, line } = problem;
  return (
    <div class="note error" role="alert">
      <p>
        {title === undefined ? null : <strong>{title} </strong>}
        <code class="code">{code}</code> {message}
      </p>
      {path === null && line === null ? null : (
        <dl class="place">
          {path === null ? null : (
            <>
              <dt>Element</dt>
              <dd>
                <code>{path}</code>
              </dd>
            </>
          )}
          {line === null ? null : (
            <>
              <dt>Line</dt>
              <dd>{line}</dd>
            </>
          )}
        </dl>
      )}
    </div>
  );
}
