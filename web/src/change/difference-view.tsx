import { words } from "../words";
import { difference, type Gap, hunks, type Row } from "./difference";

interface Props {
  label: string;
  before: string;
  after: string;
}

const signs = { same: " ", gone: "−", new: "+" } as const;

/** Difference shows what one text has and the other has not, line by line. */
export function Difference({ label, before, after }: Props) {
  const w = words.value.change;
  const rows = hunks(difference(before, after));
  if (rows.every((r) => r.kind === "gap")) return <p class="faint">{w.noDifference}</p>;
  return (
    <table class="difference" aria-label={label}>
      <tbody>
        {rows.map((r) =>
          r.kind === "gap" ? <Skipped key={key(r, rows)} gap={r} /> : <Line key={key(r, rows)} row={r} />,
        )}
      </tbody>
    </table>
  );
}

const key = (r: Row | Gap, rows: readonly (Row | Gap)[]) =>
  r.kind === "gap" ? `gap${rows.indexOf(r)}` : `${r.before ?? ""}/${r.after ?? ""}`;

function Skipped({ gap }: { gap: Gap }) {
  return (
    <tr>
      <td class="difference-gap" colSpan={4}>
        {words.value.change.skipped(String(gap.lines))}
      </td>
    </tr>
  );
}

function Line({ row }: { row: Row }) {
  const w = words.value.change;
  const said = row.kind === "gone" ? w.gone : row.kind === "new" ? w.added : "";
  return (
    <tr class={row.kind}>
      <td class="number">{row.before}</td>
      <td class="number">{row.after}</td>
      <td class="sign">
        <span aria-hidden="true">{signs[row.kind]}</span>
        {said && <span class="hidden">{said}</span>}
      </td>
      <td class="text">{row.text}</td>
    </tr>
  );
}
