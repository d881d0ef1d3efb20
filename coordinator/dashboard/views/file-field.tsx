import { useId, useState } from "preact/hooks";
import { formatBytes } from "../stores/format.js";

export interface FileFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly file: File | null;
  readonly accept: string;
  readonly disabled: boolean;
  readonly chosen: (file: File | null) => void;
}

/** Chooses a file: by its button, or by dropping one on it. */
export function FileField({ label, hint, file, accept, disabled, chosen }: FileFieldProps) {
  const id = useId();
  const [over, setOver] = useState(false);
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const first = event.dataTransfer?.files[0];
    if (first !== undefined && !disabled) chosen(first);
  };
  const dragged = (event: DragEvent) => {
    event.preventDefault();
    setOver(true);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the file button inside does the same for the keyboard
    <div class={over ? "drop over" : "drop"} onDragOver={dragged} onDragLeave={() => setOver(false)} onDrop={dropped}>
      <label for={id}>{label}</label>
      <input
        id={id}
        type="file"
        accept={accept}
        disabled={disabled}
        onChange={(event) => {
          chosen(event.currentTarget.files?.[0] ?? null);
          // So that choosing the same file again, once it has changed, is a change too.
          event.currentTarget.value = "";
        }}
      />
      {file === null ? (
        <p class="muted">{hint}</p>
      ) : (
        <p>
          <strong>{file.name}</strong> <span class="muted">{formatBytes(file.size)}</span>{" "}
          <button type="button" class="quiet" disabled={disabled} onClick={() => chosen(null)}>
            remove
          </button>
        </p>
      )}
    </div>
  );
}
