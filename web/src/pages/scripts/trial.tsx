import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/client";
import type { RecentNames, TryAnswer, TryProblem } from "../../api/types";
import { Problems } from "../../change/plan-view";
import { said } from "../../change/store";
import { Select } from "../../ui/field";
import { words } from "../../words";
import { keysOf } from "./points";
import { Results } from "./results";

interface Props {
  category: string;
  name: string;
  text: string;
  onKeys: (keys: readonly string[]) => void;
  onProblem: (p: TryProblem) => void;
}

// The sample is chosen like a name that no points have.
const own = "\n";

/** Trial runs a script on points that were, or on a sample, and shows each before and after. */
export function Trial({ category, name, text, onKeys, onProblem }: Props) {
  const w = words.value.scripts;
  const [recent, setRecent] = useState<RecentNames>();
  const [chosen, setChosen] = useState("");
  const [limit, setLimit] = useState("10");
  const [sample, setSample] = useState("");
  const [answer, setAnswer] = useState<TryAnswer>();
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    call("GET /v1/recent").then(
      ({ content }) => setRecent(content),
      (error: unknown) => setTrouble(said(error)),
    );
  }, []);
  useEffect(() => setAnswer(undefined), [category, name]);
  const names = recent?.names[category] ?? [];
  const stem = name.replace(/\.p$/, "");
  const from = chosen || (names.includes(stem) ? stem : (names[0] ?? own));
  const run = async () => {
    setBusy(true);
    setTrouble("");
    const points = from === own ? { sample } : { recent: from, limit: Number(limit) };
    try {
      const { content } = await call("POST /v1/pipeline/try", {
        body: { category, name, script: text, ...points },
      });
      setAnswer(content);
      onKeys(keysOf(content.results.flatMap((r) => [r.before, r.after])));
    } catch (error) {
      setAnswer(undefined);
      setTrouble(said(error));
    }
    setBusy(false);
  };
  return (
    <section class="trial">
      <h3>{w.tryTitle}</h3>
      <div class="tools">
        <Select
          label={w.pointsOf}
          value={from}
          options={[...names.map((n) => [n, n] as const), [own, w.ownSample]]}
          onChange={setChosen}
        />
        {from !== own && (
          <Select
            label={w.howMany}
            value={limit}
            options={["1", "5", "10", "50", "100"].map((n) => [n, n])}
            onChange={setLimit}
          />
        )}
        <button
          type="button"
          class="main"
          disabled={busy || text.trim() === "" || (from === own && sample.trim() === "")}
          onClick={() => void run()}
        >
          {busy ? w.running : w.run}
        </button>
      </div>
      {from === own && (
        <label class="field">
          <span>{category === "logging" ? w.sampleLog : w.sampleLine}</span>
          <textarea
            class="mono"
            rows={3}
            value={sample}
            spellcheck={false}
            onInput={(e) => setSample(e.currentTarget.value)}
          />
        </label>
      )}
      {recent && names.length === 0 && <p class="faint small">{recent.enabled ? w.noPoints : w.recentOff}</p>}
      {names.length > 0 && from !== own && <p class="faint small">{w.asSent}</p>}
      {trouble && (
        <p class="notice bad" role="alert">
          {trouble}
        </p>
      )}
      <div role="status">
        {answer && answer.problems.length > 0 && <p class="error">{w.doesNotCompile}</p>}
        {answer && answer.problems.length === 0 && <p>{w.ran(String(answer.results.length), answer.cost)}</p>}
      </div>
      {answer && <Problems problems={answer.problems} onGo={(p) => onProblem(p as TryProblem)} />}
      {answer && <Results results={answer.results} onProblem={onProblem} />}
    </section>
  );
}
