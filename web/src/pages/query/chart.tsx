import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme } from "../../state/preferences";
import { words } from "../../words";
import { timeText } from "./answer";
import { bounds, type Plot } from "./plot";

const colours = 6;
const height = 280;

/** dashes tell apart, beside their colours, the first lines from the second ones. */
const dashes = ["", "6 3", "2 3"];

const dashOf = (i: number) => dashes[Math.floor(i / colours) % dashes.length] ?? "";

/** Chart draws the courses. Whoever cannot see them reads their bounds below, and the table. */
export default function Chart({ plot }: { plot: Plot }) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot>(undefined);
  const [at, setAt] = useState<number | null>(null);
  const t = words.value.query;
  const painted = theme.value;
  const shape = plot.lines.map((l) => l.label).join("\n");

  // New values are handed to the same chart below
  useEffect(() => {
    const div = box.current;
    if (!div) return;
    const u = new uPlot(optionsFor(plot, div, setAt), columns(plot), div);
    drawn.current = u;
    const watch = new ResizeObserver(() => u.setSize({ width: div.clientWidth, height }));
    watch.observe(div);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => u.redraw(true);
    dark.addEventListener("change", repaint);
    return () => {
      dark.removeEventListener("change", repaint);
      watch.disconnect();
      u.destroy();
      div.replaceChildren();
    };
  }, [shape]);
  useEffect(() => drawn.current?.setData(columns(plot)), [plot]);
  // The shell writes the theme into the document after this.
  useEffect(() => {
    const frame = requestAnimationFrame(() => drawn.current?.redraw(true));
    return () => cancelAnimationFrame(frame);
  }, [painted]);

  const ends = [plot.times[0] ?? 0, plot.times.at(-1) ?? 0].map((s) => timeText(s * 1000));
  return (
    <figure class="query-chart">
      <div ref={box} class="query-plot" role="img" aria-labelledby="query-chart-caption" />
      <figcaption id="query-chart-caption">
        {t.chartOf(plot.lines.length, ends[0] ?? "", ends[1] ?? "")}
      </figcaption>
      <Legend plot={plot} at={at} />
      {plot.more > 0 && <p>{t.moreLines(plot.more)}</p>}
    </figure>
  );
}

const columns = (plot: Plot): uPlot.AlignedData => [plot.times, ...plot.lines.map((l) => l.values)];

function optionsFor(plot: Plot, div: HTMLElement, onPointer: (at: number | null) => void): uPlot.Options {
  // What a name stands for, light or dark, only an element that has it can tell.
  const probe = document.createElement("i");
  div.append(probe);
  const colour = (name: string) => () => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const axis = {
    stroke: colour("--faint"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const wide = (_: uPlot, values: string[] | null) =>
    16 + 7 * Math.max(3, ...(values ?? []).map((v) => String(v).length));
  return {
    width: div.clientWidth,
    height,
    tzDate: (s) => uPlot.tzDate(new Date(s * 1000), "UTC"),
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false } },
    axes: [
      { ...axis, space: 90, values: clockTexts },
      { ...axis, size: wide },
    ],
    series: [
      {},
      ...plot.lines.map((l, i) => ({
        label: l.label,
        stroke: colour(`--plot-${(i % colours) + 1}`),
        width: 1.5,
        spanGaps: true,
        dash: dashOf(i).split(" ").filter(Boolean).map(Number),
      })),
    ],
    hooks: { setCursor: [(u) => onPointer(u.cursor.idx ?? null)] },
  };
}

/** clockTexts writes the times below the chart as all others are written. */
function clockTexts(_: uPlot, times: number[], __: number, ___: number, step: number): string[] {
  return times.map((s) => {
    const [day = "", clock = ""] = timeText(s * 1000).split(" ");
    return step >= 86_400 ? day : step >= 60 ? clock.slice(0, 5) : step >= 1 ? clock.slice(0, 8) : clock;
  });
}

function Legend({ plot, at }: { plot: Plot; at: number | null }) {
  const t = words.value.query;
  return (
    <table class="table query-legend">
      <caption>{t.lines}</caption>
      <thead>
        <tr>
          <th scope="col">{t.line}</th>
          <th scope="col" class="right">
            {t.least}
          </th>
          <th scope="col" class="right">
            {t.greatest}
          </th>
          <th scope="col" class="right">
            {t.here}
          </th>
        </tr>
      </thead>
      <tbody>
        {plot.lines.map((line, i) => (
          <tr key={line.label}>
            <th scope="row">
              <svg class="query-swatch" width="24" height="8" aria-hidden="true">
                <line
                  class={`plot-${(i % colours) + 1}`}
                  x1="0"
                  x2="24"
                  y1="4"
                  y2="4"
                  stroke-dasharray={dashOf(i)}
                />
              </svg>
              <code>{line.label}</code>
            </th>
            {bounds(line).map((v, k) => (
              <td key={k === 0 ? "least" : "greatest"} class="right">
                {shortNumber(v)}
              </td>
            ))}
            <td class="right">{at === null ? "" : shortNumber(line.values[at] ?? null)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const shortNumber = (v: number | null) => (v === null ? "" : String(Number(v.toPrecision(6))));
