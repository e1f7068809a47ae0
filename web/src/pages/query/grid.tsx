import { useMemo, useState } from "preact/hooks";
import { type Column as Shown, Table } from "../../ui/table";
import { words } from "../../words";
import { type Cell, type Column, isNumeric, type Table as Rows, timeText } from "./answer";

interface Row {
  at: number;
  cells: Cell[];
}

/** Grid is the answer as a table. */
export function Grid({ table }: { table: Rows }) {
  const [order, setOrder] = useState("");
  const t = words.value.query;
  const rows = useMemo(() => table.rows.map((cells, at): Row => ({ at, cells })), [table]);
  const columns = table.columns.map((column, i) => shown(column, i, isNumeric(table, i)));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be scrolled by keys
    <section class="query-grid" aria-label={t.table} tabIndex={0}>
      <Table
        label={t.answer}
        columns={columns}
        rows={rows}
        id={(r) => String(r.at)}
        empty={t.nothing}
        order={order}
        onOrder={setOrder}
        page={200}
      />
    </section>
  );
}

function shown(column: Column, i: number, numeric: boolean): Shown<Row> {
  const t = words.value.query;
  const cell = (r: Row) => r.cells[i] ?? null;
  const head = column.kind === "time" ? t.time : column.kind === "name" ? t.measurement : column.name;
  return {
    id: `${column.kind}.${column.name}`,
    head,
    right: numeric && column.kind !== "time",
    sort: (r) => (numeric ? Number(cell(r) ?? Number.NEGATIVE_INFINITY) : String(cell(r) ?? "")),
    optional: (r) => cell(r) === null,
    cell: (r) => written(cell(r), column),
  };
}

function written(cell: Cell, column: Column) {
  if (cell === null) return "–";
  if (column.kind !== "time" || typeof cell !== "number") return <code>{String(cell)}</code>;
  return <time dateTime={new Date(cell).toJSON() ?? undefined}>{timeText(cell)}</time>;
}
