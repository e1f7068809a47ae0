import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { words } from "../words";
import { number } from "./format";

export interface Column<Row> {
  id: string;
  head: string;
  cell: (row: Row) => ComponentChildren;
  /** What it is sorted by; a column without one is not. */
  sort?: (row: Row) => string | number;
  /** Figures stand at the right, so that their digits do below one another. */
  right?: boolean;
  /** The cell that names the row. */
  name?: boolean;
  /** Whether it has nothing to say of a row: it is left out of its card, and of all where no row has. */
  optional?: (row: Row) => boolean;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string;
  /** What is shown in place of a table without rows. */
  empty: ComponentChildren;
  /** The column it is sorted by, "-" before it for the other way round. */
  order?: string;
  onOrder?: (order: string) => void;
  /** The row that is chosen. */
  chosen?: string | undefined;
  /** Rows that are shown at first. */
  page?: number;
}

const byDefault = 100;

/** Table is a list with sorted columns; where there is little room, each row is a card. */
export function Table<Row>(props: Props<Row>) {
  const [shown, setShown] = useState(props.page ?? byDefault);
  const columns = props.columns.filter((c) => !c.optional || props.rows.some((r) => !c.optional?.(r)));
  if (props.rows.length === 0) return <div class="empty">{props.empty}</div>;
  const rows = sorted(props.rows, props.columns, props.order ?? "");
  const rest = rows.length - shown;
  const w = words.value.shell;
  return (
    <>
      {props.onOrder && <OrderChoice {...props} onOrder={props.onOrder} />}
      {/* The roles are said again: a table that is laid out as cards loses them in some browsers. */}
      <table class="table" role="table" aria-label={props.label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((c) => (
              <Head key={c.id} column={c} order={props.order ?? ""} onOrder={props.onOrder} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.slice(0, shown).map((row) => (
            <Line key={props.id(row)} row={row} columns={columns} chosen={props.id(row) === props.chosen} />
          ))}
        </tbody>
      </table>
      {rest > 0 && (
        <button type="button" class="more" onClick={() => setShown(shown + 5 * (props.page ?? byDefault))}>
          {w.more(number(Math.min(rest, 5 * (props.page ?? byDefault))))}
        </button>
      )}
    </>
  );
}

function Line<Row>({ row, columns, chosen }: { row: Row; columns: readonly Column<Row>[]; chosen: boolean }) {
  return (
    <tr role="row" aria-current={chosen ? "true" : undefined}>
      {columns.map((c) => {
        const side = c.right ? "right" : undefined;
        const leave = c.optional?.(row) ? "leave" : undefined;
        const classes = [side, leave].filter(Boolean).join(" ") || undefined;
        return c.name ? (
          <th key={c.id} scope="row" role="rowheader" class={classes}>
            {c.cell(row)}
          </th>
        ) : (
          <td key={c.id} role="cell" class={classes} data-label={c.head}>
            {c.cell(row)}
          </td>
        );
      })}
    </tr>
  );
}

interface HeadProps<Row> {
  column: Column<Row>;
  order: string;
  onOrder: ((order: string) => void) | undefined;
}

function Head<Row>({ column: c, order, onOrder }: HeadProps<Row>) {
  const up = order === c.id;
  const down = order === `-${c.id}`;
  const direction = up ? "ascending" : down ? "descending" : "none";
  const sorts = c.sort && onOrder;
  return (
    <th
      scope="col"
      role="columnheader"
      class={c.right ? "right" : undefined}
      aria-sort={sorts ? direction : undefined}
    >
      {sorts ? (
        <button type="button" onClick={() => onOrder(up || (!down && c.right) ? `-${c.id}` : c.id)}>
          {c.head}
          <span class="arrow" aria-hidden="true">
            {up ? "▲" : down ? "▼" : ""}
          </span>
        </button>
      ) : (
        c.head
      )}
    </th>
  );
}

// Cards have no heads to sort by.
function OrderChoice<Row>({
  columns,
  order = "",
  onOrder,
}: Props<Row> & { onOrder: (order: string) => void }) {
  const w = words.value.shell;
  return (
    <label class="select order">
      <span>{w.sortBy}</span>
      <select value={order} onChange={(e) => onOrder(e.currentTarget.value)}>
        {columns
          .filter((c) => c.sort)
          .flatMap((c) => [
            <option key={c.id} value={c.id}>{`${c.head}, ${w.ascending}`}</option>,
            <option key={`-${c.id}`} value={`-${c.id}`}>{`${c.head}, ${w.descending}`}</option>,
          ])}
      </select>
    </label>
  );
}

/** sorted returns rows in an order; those that are alike stay as they were. */
export function sorted<Row>(rows: readonly Row[], columns: readonly Column<Row>[], order: string): Row[] {
  const down = order.startsWith("-");
  const by = columns.find((c) => c.id === (down ? order.slice(1) : order))?.sort;
  if (!by) return [...rows];
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const x = by(a);
    const y = by(b);
    if (typeof x === "number" && typeof y === "number") return sign * (x - y);
    return sign * String(x).localeCompare(String(y), "en", { numeric: true });
  });
}
