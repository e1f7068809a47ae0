import type { ComponentType } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Tabs } from "../../ui/tabs";
import { words } from "../../words";
import { costText, defaultLimit, limitReached, type Result, toCSV, toTable } from "./answer";
import { Copy } from "./copy";
import { Grid } from "./grid";
import { type Plot, toPlot } from "./plot";

/** Shape is how an answer is shown. */
export type Shape = "table" | "chart";

interface Props {
  result: Result;
  shape: Shape;
  onShape(shape: Shape): void;
}

/** Answer shows a result as a table or as a chart. */
export function Answer({ result, shape, onShape }: Props) {
  const table = useMemo(() => toTable(result), [result]);
  const plot = useMemo(() => toPlot(result), [result]);
  const limit = limitReached(result);
  const t = words.value.query;
  return (
    <section class="query-answer" aria-labelledby="query-answer-title">
      <h2 id="query-answer-title">{t.answer}</h2>
      <p class="query-summary">
        {[
          t.rows(table.rows.length),
          t.groups(result.series.length),
          ...(limit > 0 && limit !== defaultLimit ? [t.limited(limit)] : []),
          t.took(costText(result.cost)),
        ].join(" · ")}
      </p>
      {limit === defaultLimit && <p class="notice">{t.cut(limit)}</p>}
      {table.rows.length === 0 ? (
        <p class="empty">
          {t.nothing} {t.nothingHint}
        </p>
      ) : (
        <>
          <div class="query-bar">
            <Copy label={t.copyCSV} text={() => toCSV(table)} />
            <Copy label={t.copyJSON} text={() => JSON.stringify(result.series, undefined, 2)} />
          </div>
          <Tabs
            label={t.answer}
            chosen={shape}
            onChoose={(id) => onShape(id === "chart" ? "chart" : "table")}
            tabs={[
              { id: "table", label: t.table, content: () => <Grid table={table} /> },
              {
                id: "chart",
                label: t.chart,
                content: () => (plot ? <Drawn plot={plot} /> : <p>{t.noChart}</p>),
              },
            ]}
          />
        </>
      )}
    </section>
  );
}

/** Drawn loads the library that draws when it is first asked for. */
function Drawn({ plot }: { plot: Plot }) {
  const [chart, setChart] = useState<{ Chart: ComponentType<{ plot: Plot }> }>();
  useEffect(() => void import("./chart").then((m) => setChart({ Chart: m.default })), []);
  return chart ? <chart.Chart plot={plot} /> : <p role="status">{words.value.query.loadingChart}</p>;
}
