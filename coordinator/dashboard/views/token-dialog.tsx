import { useEffect, useRef, useState } from "preact/hooks";
import { readEnteredToken } from "../stores/entered-token.js";

export interface TokenDialogProps {
  /** A token was sent and refused. */
  readonly refused: boolean;
  readonly entered: (token: string) => void;
}

/** Asks for the token that `ringstrasse serve --token` wants; there is no way round it. */
export function TokenDialog({ refused, entered }: TokenDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    const read = readEnteredToken(token);
    setProblem(read.problem);
    if (read.token !== null) entered(read.token);
  };
  return (
    <dialog ref={dialog} onCancel={(event) => event.preventDefault()} aria-labelledby="token-title">
      <form onSubmit={submit}>
        <h2 id="token-title">Token needed</h2>
        <p>
          {refused ? "The coordinator does not accept this token. " : "This coordinator asks for a token. "}
          It is what <code>ringstrasse serve</code> was started with as <code>--token</code>. It is kept in this tab
          only.
        </p>
        <label>
          Token
          <input
            type="password"
            autocomplete="off"
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        {problem === null ? null : (
          <p class="note error" role="alert">
            {problem}
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="primary">
            Continue
          </button>
        </div>
      </form>
    </dialog>
  );
}
