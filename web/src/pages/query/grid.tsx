import { useMemo, useState } from "preact/hooks";
import { words } from "../../words";
import { type Cell, type Column, isNumeric, type Sorting, sorted, type Table, timeText } from "./answer";

const step = 200;

/** Grid is the answer as a table that is sorted by a press on a column's name. */
export function Grid({ table }: { table: Table }) {
  const [by, setBy] = useState<Sorting>();
  const [most, setMost] = useState(step);
  const t = words.value.query;
  const sorting = by && by.column < table.columns.length ? by : undefined;
  const rows = useMemo(() => sorted(table, sorting), [table, sorting]);
  const numeric = useMemo(() => table.columns.map((_, i) => isNumeric(table, i)), [table]);

  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be scrolled by keys */}
      <section class="query-grid" aria-label={t.table} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {table.columns.map((column, i) => (
                <Head
                  key={`${column.kind} ${column.name}`}
                  name={nameOf(column)}
                  number={numeric[i] === true && column.kind !== "time"}
                  down={sorting?.column === i ? sorting.down : undefined}
                  onPress={() => setBy(next(sorting, i))}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, most).map((row, r) => (
              // Rows have no identity of their own: the answer is new each time.
              // biome-ignore lint/suspicious/noArrayIndexKey: see above
              <tr key={r}>
                {table.columns.map((column, i) => (
                  <td
                    key={`${column.kind} ${column.name}`}
                    data-label={nameOf(column)}
                    class={numeric[i] && column.kind !== "time" ? "number" : column.kind}
                  >
                    <Value cell={row[i] ?? null} column={column} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {rows.length > most && (
        <p class="query-more">
          {t.shown(most, rows.length)}{" "}
          <button type="button" onClick={() => setMost(most + step)}>
            {t.showMore(Math.min(step, rows.length - most))}
          </button>
        </p>
      )}
    </>
  );
}

/** next goes from no order to rising, to falling, to none. */
function next(now: Sorting | undefined, column: number): Sorting | undefined {
  if (now?.column !== column) return { column, down: false };
  return now.down ? undefined : { column, down: true };
}

const nameOf = (column: Column) =>
  column.kind === "time"
    ? words.value.query.time
    : column.kind === "name"
      ? words.value.query.measurement
      : column.name;

interface HeadProps {
  name: string;
  number: boolean;
  down: boolean | undefined;
  onPress(): void;
}

function Head({ name, number, down, onPress }: HeadProps) {
  const mark = down === undefined ? "" : down ? "▼" : "▲";
  return (
    <th
      scope="col"
      class={number ? "number" : undefined}
      aria-sort={down === undefined ? undefined : down ? "descending" : "ascending"}
    >
      <button type="button" title={words.value.query.sortBy(name)} onClick={onPress}>
        {name} <span aria-hidden="true">{mark}</span>
      </button>
    </th>
  );
}

function Value({ cell, column }: { cell: Cell; column: Column }) {
  if (cell === null) return <span class="none">–</span>;
  if (column.kind === "time" && typeof cell === "number") return <>{timeText(cell)}</>;
  return <>{String(cell)}</>;
}
