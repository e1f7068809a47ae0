import { useState } from "preact/hooks";
import { words } from "../words";

/** Command is a line for a shell, with a button that copies it. */
export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const w = words.value.shell;
  const copy = () =>
    navigator.clipboard?.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  return (
    <div class="command">
      <code>{text}</code>
      {/* Over plain HTTP from another machine a browser has no clipboard for us. */}
      {navigator.clipboard && (
        <button type="button" class="quiet" onClick={copy} onBlur={() => setCopied(false)}>
          {copied ? w.copied : w.copy}
        </button>
      )}
    </div>
  );
}
