import type { Tone } from "../state/tones";

// Each tone has a shape of its own: colours alone do not tell them apart for
// everybody.
const shapes: Record<Tone, string> = {
  good: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
  warn: "M8 1.8 15 14H1L8 1.8Z",
  bad: "M3.5 1.5 8 6l4.5-4.5 2 2L10 8l4.5 4.5-2 2L8 10l-4.5 4.5-2-2L6 8 1.5 3.5l2-2Z",
  off: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 2.2a3.8 3.8 0 1 1 0 7.6 3.8 3.8 0 0 1 0-7.6Z",
  plain: "M2.5 6.5h11v3h-11z",
};

/** Shape is the sign of a tone. */
export function Shape({ tone }: { tone: Tone }) {
  return (
    <svg class={`shape tone-${tone}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={shapes[tone]} />
    </svg>
  );
}

interface Props {
  tone: Tone;
  text: string;
  title?: string | undefined;
}

/** Badge is a state, by colour, shape and word. */
export function Badge({ tone, text, title }: Props) {
  return (
    <span class={`badge tone-${tone}`} title={title}>
      <Shape tone={tone} />
      {text}
    </span>
  );
}
