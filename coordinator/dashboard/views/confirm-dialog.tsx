import { useEffect, useRef } from "preact/hooks";

export interface ConfirmDialogProps {
  readonly question: string;
  readonly yes: string;
  readonly confirmed: () => void;
  readonly dismissed: () => void;
}

/** Asks before something is lost. Escape and "Keep" dismiss; the keyboard starts on "Keep". */
export function ConfirmDialog({ question, yes, confirmed, dismissed }: ConfirmDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={dismissed} aria-labelledby="confirm-question">
      <p id="confirm-question">{question}</p>
      <div class="buttons">
        <button type="button" onClick={dismissed}>
          Keep
        </button>
        <button type="button" class="danger" onClick={confirmed}>
          {yes}
        </button>
      </div>
    </dialog>
  );
}
