import "../style/query.css";
import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../api/client";
import { status } from "../state/live";
import { choose, param } from "../state/location";
import { bytes, number } from "../ui/format";
import { Page } from "../ui/page";
import { words } from "../words";
import type { Result } from "./query/answer";
import { Editor } from "./query/editor";
import { examples } from "./query/examples";
import { forget, history, remember } from "./query/history";
import { Mistake } from "./query/mistake";
import { Answer, type Shape } from "./query/result";

/** What came of the last query that was asked. */
interface Outcome {
  asked: string;
  result?: Result;
  error?: unknown;
}

/** Query asks the agent's recent points, once or whenever new ones come. */
export function Query() {
  const form = useRef<HTMLFormElement>(null);
  const [text, setText] = useState(param("q"));
  const [outcome, setOutcome] = useState<Outcome>();
  const [asking, setAsking] = useState(false);
  const [live, setLive] = useState(false);
  const [earlier, setEarlier] = useState(() => history(localStorage));
  const recalled = useRef(-1);
  const running = useRef<AbortController>(undefined);
  const t = words.value.query;
  const shape: Shape = param("as") === "chart" ? "chart" : "table";

  const ask = async (q: string) => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    setAsking(true);
    const got = await answerTo(q, mine.signal);
    if (mine.signal.aborted) return;
    running.current = undefined;
    setAsking(false);
    setOutcome(got);
  };
  const run = (q: string) => {
    if (q.trim() === "") return;
    recalled.current = -1;
    setText(q);
    setEarlier(remember(localStorage, q));
    choose({ q }, param("q") === q || param("q") === "");
    void ask(q);
  };
  const recall = (back: boolean) => {
    const at = Math.min(Math.max(recalled.current + (back ? 1 : -1), -1), earlier.length - 1);
    recalled.current = at;
    setText(at < 0 ? "" : (earlier[at] ?? ""));
  };

  // A link, and the browser's way back, ask what they name.
  const linked = param("q");
  useEffect(() => {
    if (linked === "" || linked === outcome?.asked || running.current) return;
    setText(linked);
    void ask(linked);
  }, [linked]);
  useEffect(() => () => running.current?.abort(), []);
  useNewPoints(live, () => {
    if (outcome?.asked && !running.current) void ask(outcome.asked);
  });

  return (
    <Page title={t.title} tab={outcome?.asked ? `${t.title}: ${outcome.asked.slice(0, 40)}` : t.title}>
      <p>{t.about}</p>
      <form
        ref={form}
        onSubmit={(e) => {
          e.preventDefault();
          run(text);
        }}
      >
        <Editor
          text={text}
          invalid={outcome?.error !== undefined}
          describedBy={outcome?.error === undefined ? "query-hint" : "query-mistake"}
          onText={setText}
          onRun={() => run(text)}
          onRecall={recall}
        />
        <p id="query-hint" class="query-hint">
          {t.hint}
        </p>
        <div class="query-bar">
          <button type="submit" class="main" disabled={text.trim() === ""}>
            {t.run}
          </button>
          <label class="query-live" title={t.liveHint}>
            <input type="checkbox" checked={live} onChange={(e) => setLive(e.currentTarget.checked)} />
            {t.live}
          </label>
          <span role="status" class="query-asking">
            {asking && !live ? t.running : ""}
          </span>
        </div>
      </form>
      {outcome?.error !== undefined && (
        <Mistake id="query-mistake" error={outcome.error} text={outcome.asked} form={form} />
      )}
      {outcome?.result && (
        <Answer
          result={outcome.result}
          shape={shape}
          onShape={(as) => choose({ as: as === "chart" ? as : undefined })}
        />
      )}
      <Picks title={t.examples} list={examples} open={!outcome} onPick={run} />
      <Picks title={t.earlier} list={earlier} open={false} onPick={run}>
        <button
          type="button"
          onClick={() => {
            forget(localStorage);
            setEarlier([]);
          }}
        >
          {t.forget}
        </button>
      </Picks>
      <p class="query-hint">
        {t.bounds} <Kept />
      </p>
    </Page>
  );
}

async function answerTo(q: string, signal: AbortSignal): Promise<Outcome> {
  try {
    const { content } = await call("POST /v1/query/raw", { body: { q }, signal });
    const [result] = content as Result[];
    return result ? { asked: q, result } : { asked: q };
  } catch (error) {
    return { asked: q, error };
  }
}

/** useNewPoints calls back when units have written more points, as the events of the agent tell. */
function useNewPoints(on: boolean, f: () => void) {
  const before = useRef(0);
  const latest = useRef(f);
  latest.current = f;
  const wanted = useRef(on);
  wanted.current = on;
  useSignalEffect(() => {
    const points = status.value?.units.reduce((n, u) => n + u.points, 0) ?? 0;
    if (points !== before.current && wanted.current) latest.current();
    before.current = points;
  });
}

interface PicksProps {
  title: string;
  list: string[];
  open: boolean;
  onPick(query: string): void;
  children?: preact.ComponentChildren;
}

/** Picks are queries to run by a press. */
function Picks({ title, list, open, onPick, children }: PicksProps) {
  const t = words.value.query;
  return (
    <details class="query-picks" open={open}>
      <summary>{title}</summary>
      {list.length === 0 ? <p>{t.noneEarlier}</p> : null}
      <ul>
        {list.map((q) => (
          <li key={q}>
            <button type="button" onClick={() => onPick(q)}>
              <code>{q}</code>
            </button>
          </li>
        ))}
      </ul>
      {list.length > 0 && children}
    </details>
  );
}

/** Kept says how many points there are to be asked. */
function Kept() {
  const r = status.value?.recent;
  return r ? words.value.query.kept(number(r.points), bytes(r.bytes), bytes(r.max_bytes)) : null;
}
