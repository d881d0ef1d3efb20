import { useEffect, useState } from "preact/hooks";

const SHOWN_MS = 1_500;

/** A value to select, or to copy with one press. */
export function CopyableId({ value, what }: { readonly value: string; readonly what: string }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => setSaid(""), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    // Browsers give a page the clipboard over https and on this very machine only.
    if (navigator.clipboard === undefined) setSaid("select it to copy");
    else
      navigator.clipboard.writeText(value).then(
        () => setSaid("copied"),
        () => setSaid("not allowed: select it to copy"),
      );
  };
  return (
    <span class="copyable">
      <code>{value}</code>
      <button type="button" class="quiet" onClick={copy} aria-label={`Copy ${what}`}>
        copy
      </button>
      <span role="status">{said}</span>
    </span>
  );
}
