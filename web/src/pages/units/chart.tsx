import { useEffect, useState } from "preact/hooks";
import type { Unit } from "../../api/types";
import { choose, param, to } from "../../state/location";
import { Select } from "../../ui/field";
import { number } from "../../ui/format";
import { Sparkline } from "../../ui/sparkline";
import { words } from "../../words";
import { type Answer, describe, first, type Measurement, measurements, query, read } from "./points";

/** Chart draws a field of what a unit collects, and goes on as points come. */
export function Chart({ unit }: { unit: Unit }) {
  const w = words.value.units;
  const [sources, setSources] = useState<string[]>();
  const [known, setKnown] = useState<Measurement>();
  const [answer, setAnswer] = useState<Answer>();
  const [error, setError] = useState("");
  const source = param("m") || sources?.[0] || "";
  const field = param("f") || first(known?.fields ?? []);
  const by = param("by");
  const fail = (error: unknown) => setError(error instanceof Error ? error.message : String(error));

  // What there is to choose from is asked anew while there is nothing.
  const waits = (sources?.length ?? 0) === 0;
  useEffect(() => {
    measurements(unit.kind).then((found) => {
      setSources(found);
      setError("");
    }, fail);
  }, [unit.kind, waits && unit.points]);
  useEffect(() => {
    if (source) describe(source).then(setKnown, fail);
  }, [source]);
  // The points of the unit grow by what the agent tells: each time, the line does.
  useEffect(() => {
    if (!source || !field) return;
    const stop = new AbortController();
    read(source, field, by, stop.signal).then(setAnswer, (error) => {
      if (!stop.signal.aborted) fail(error);
    });
    return () => stop.abort();
  }, [source, field, by, unit.points]);

  return (
    <section class="panel" aria-labelledby="live">
      <h2 id="live">
        {w.live} <span class="faint small">{w.lastMinutes}</span>
      </h2>
      {source && known && (
        <div class="tools">
          {(sources?.length ?? 0) > 1 && (
            <Select
              label={w.source}
              value={source}
              options={(sources ?? []).map((x) => [x, x] as const)}
              onChange={(m) => choose({ m, f: "", by: "" })}
            />
          )}
          <Select
            label={w.field}
            value={field}
            options={known.fields.map((x) => [x, x] as const)}
            onChange={(f) => choose({ f })}
          />
          <Select
            label={w.by}
            value={by}
            options={[["", w.byNone], ...known.tags.map((x) => [x, x] as const)]}
            onChange={(v) => choose({ by: v })}
          />
          <a class="small" href={to("/query", { q: query(source, field, by) })}>
            {w.query}
          </a>
        </div>
      )}
      {error ? (
        <p class="faint">{error}</p>
      ) : answer && answer.series.length > 0 ? (
        <>
          <Sparkline label={`${source} ${field}`} series={answer.series} height={120} />
          {answer.more > 0 && <p class="faint small">{w.tooMany(number(answer.series.length))}</p>}
        </>
      ) : (
        <p class="faint">{known && known.fields.length === 0 ? w.noNumbers : w.noPoints}</p>
      )}
    </section>
  );
}
