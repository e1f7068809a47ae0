import { useState } from "preact/hooks";
import { words } from "../../words";

/** Copy is a button that puts what text returns on the clipboard, and says so. */
export function Copy({ label, text }: { label: string; text(): string }) {
  const [said, setSaid] = useState("");
  const t = words.value.query;
  const copy = async () => setSaid((await put(text())) ? t.copied : t.notCopied);
  return (
    <>
      <button type="button" onClick={() => void copy()} onBlur={() => setSaid("")}>
        {label}
      </button>
      <span role="status" class="query-copied">
        {said}
      </span>
    </>
  );
}

/** put takes the clipboard's new way, which there is on localhost and over TLS alone, or its old one. */
async function put(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return putSelected(text);
  }
}

function putSelected(text: string): boolean {
  const back = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (back instanceof HTMLElement) back.focus();
  return done;
}
