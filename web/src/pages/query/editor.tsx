import { useRef, useState } from "preact/hooks";
import { words } from "../../words";
import { type Choice, fitting, put, type Spot, spotAt } from "./complete";
import { known } from "./known";

const most = 8;

interface Props {
  text: string;
  invalid: boolean;
  /** The element that says what is wrong with the text. */
  describedBy: string;
  onText(text: string): void;
  onRun(): void;
  /** Asks for an earlier query, or with false for a later one. */
  onRecall(earlier: boolean): void;
}

interface Open {
  spot: Spot;
  choices: Choice[];
  active: number;
}

/** Editor is where a query is written: as high as its text, with suggestions below. */
export function Editor(props: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [open, setOpen] = useState<Open>();
  const turn = useRef(0);
  const t = words.value.query;

  const close = () => {
    turn.current++;
    setOpen(undefined);
  };
  const suggest = async (forced: boolean) => {
    const mine = ++turn.current;
    const e = area.current;
    const spot = e && spotAt(e.value, e.selectionStart);
    if (!spot || !(forced || begun(spot, e.value))) return setOpen(undefined);
    const names = await known(spot);
    if (mine !== turn.current) return;
    const choices = fitting(spot, names).slice(0, most);
    setOpen(choices.length > 0 ? { spot, choices, active: forced ? 0 : -1 } : undefined);
  };
  const take = (choice: Choice) => {
    const e = area.current;
    if (!e || !open) return;
    const done = put(e.value, e.selectionStart, open.spot, choice);
    close();
    props.onText(done.text);
    e.value = done.text;
    e.focus();
    e.setSelectionRange(done.caret, done.caret);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.isComposing) return;
    if (open && inList(e, open, setOpen, take, close)) return e.preventDefault();
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      close();
      props.onRun();
    } else if (e.key === " " && e.ctrlKey) void suggest(true);
    else if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) props.onRecall(e.key === "ArrowUp");
    else return;
    e.preventDefault();
  };

  return (
    <div class="query-editor">
      <label for="query-text">{t.label}</label>
      <textarea
        ref={area}
        id="query-text"
        rows={Math.min(20, Math.max(2, props.text.split("\n").length))}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        aria-autocomplete="list"
        aria-controls={open ? "query-choices" : undefined}
        aria-activedescendant={open && open.active >= 0 ? `query-choice-${open.active}` : undefined}
        aria-invalid={props.invalid}
        aria-describedby={props.describedBy}
        value={props.text}
        onInput={(e) => {
          props.onText(e.currentTarget.value);
          void suggest(false);
        }}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      {open && <Choices open={open} take={take} />}
    </div>
  );
}

/** begun reports whether so much is written that suggestions are of use. */
function begun(spot: Spot, text: string): boolean {
  return spot.prefix !== "" || spot.quoted || /(::|:\(|,\s?)$/.test(text.slice(0, spot.from));
}

/** inList moves within the suggestions, and reports whether the key was for them. */
function inList(
  e: KeyboardEvent,
  open: Open,
  set: (o: Open) => void,
  take: (c: Choice) => void,
  close: () => void,
): boolean {
  const n = open.choices.length;
  const chosen = open.choices[open.active];
  if (e.ctrlKey || e.metaKey || e.altKey) return false;
  if (e.key === "ArrowDown") set({ ...open, active: (open.active + 1) % n });
  else if (e.key === "ArrowUp" && open.active >= 0) set({ ...open, active: open.active - 1 });
  else if ((e.key === "Enter" || e.key === "Tab") && chosen && !e.shiftKey) take(chosen);
  else if (e.key === "Escape") {
    e.stopPropagation();
    close();
  } else return false;
  return true;
}

function Choices({ open, take }: { open: Open; take: (c: Choice) => void }) {
  const t = words.value.query;
  return (
    <div id="query-choices" class="query-choices" role="listbox" aria-label={t.suggestions}>
      {open.choices.map((c, i) => (
        // The keys are those of the text, which keeps the focus.
        // biome-ignore lint/a11y/useFocusableInteractive: aria-activedescendant points at it
        // biome-ignore lint/a11y/useKeyWithClickEvents: the text takes the keys
        <div
          key={c.text}
          id={`query-choice-${i}`}
          role="option"
          aria-selected={i === open.active}
          onMouseDown={(e) => e.preventDefault()}
          onClick={() => take(c)}
        >
          <code>{c.text}</code> <span class="query-kind">{c.note ?? t.kinds[c.kind]}</span>
        </div>
      ))}
    </div>
  );
}
