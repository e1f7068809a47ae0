import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { status } from "../state/live";
import { path } from "../state/location";

interface Props {
  title: string;
  /** What the tab says, where it is more than the page's title. */
  tab?: string;
  /** What stands beside the title. */
  beside?: ComponentChildren;
  children: ComponentChildren;
}

// The page that was shown when the console was opened keeps the focus where the
// browser has it; each later one takes it, so that a screen reader reads its title.
let shown = "";

/** Page is one page: its title, and what it shows. */
export function Page({ title, tab, beside, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const host = status.value?.hostname;
  const text = tab ?? title;
  useEffect(() => {
    document.title = host ? `${text} · ${host} · DataKit` : `${text} · DataKit`;
  }, [text, host]);
  useEffect(() => {
    if (shown !== "" && shown !== path.value) heading.current?.focus();
    shown = path.value;
  }, []);
  return (
    <>
      <div class="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {beside}
      </div>
      {children}
    </>
  );
}
