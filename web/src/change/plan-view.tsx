import type { PlanAnswer, Problem, TrialStep } from "../api/types";
import { keyTone, type Tone } from "../state/tones";
import { Badge } from "../ui/badge";
import { words } from "../words";

const tones: Record<TrialStep["verb"], Tone> = {
  stop: "bad",
  restart: "warn",
  update: "good",
  start: "good",
  keep: "off",
};

/** refused reports whether an agent would not take what was planned. */
export const refused = (p: PlanAnswer) =>
  p.problems.length > 0 || p.keys.some((k) => k.state === "rejected" || k.state === "kept");

interface Props {
  plan: PlanAnswer;
  onProblem?: (p: Problem) => void;
}

/** PlanView says what a change would do: what starts, restarts, stops, and stays. */
export function PlanView({ plan, onProblem }: Props) {
  const w = words.value;
  const moves = plan.steps.filter((s) => s.verb !== "keep");
  const kept = plan.steps.filter((s) => s.verb === "keep");
  const aside = plan.keys.filter(
    (k) => k.state !== "applied" && k.state !== "" && plan.problems.length === 0,
  );
  return (
    <div class="plan">
      <Problems problems={plan.problems} onGo={onProblem} />
      {aside.map((k) => (
        <p key={k.key}>
          <Badge tone={keyTone(k.state)} text={w.state.key[k.state]} title={w.state.keyMeans[k.state]} />{" "}
          {k.error}
        </p>
      ))}
      {moves.length === 0 && !refused(plan) && <p>{w.change.nothingMoves}</p>}
      {moves.length > 0 && <Steps label={w.change.moves} steps={moves} />}
      {kept.length > 0 && (
        <details>
          <summary>{w.change.stay(String(kept.length))}</summary>
          <Steps label={w.change.stay(String(kept.length))} steps={kept} />
        </details>
      )}
    </div>
  );
}

function Steps({ label, steps }: { label: string; steps: readonly TrialStep[] }) {
  const w = words.value;
  return (
    <ul class="plan-steps" aria-label={label}>
      {steps.map((s) => (
        <li key={`${s.verb} ${s.unit}`}>
          <span class="verb">
            <Badge tone={tones[s.verb]} text={w.state.verb[s.verb]} />
          </span>{" "}
          <span class="mono">{s.unit}</span> <span class="faint small">{s.origin}</span>
          {s.error && <p class="error">{s.error}</p>}
        </li>
      ))}
    </ul>
  );
}

interface ProblemsProps {
  problems: readonly Problem[];
  onGo?: ((p: Problem) => void) | undefined;
}

/** Problems lists what is wrong with a text; a click goes to the place. */
export function Problems({ problems, onGo }: ProblemsProps) {
  const w = words.value.change;
  if (problems.length === 0) return null;
  return (
    <ul class="problems" aria-label={w.problems}>
      {problems.map((p) => (
        <li key={`${p.line}:${p.column} ${p.message}`}>
          {p.line > 0 && onGo ? (
            <button type="button" class="link" onClick={() => onGo(p)}>
              {w.at(String(p.line), String(p.column))}
            </button>
          ) : (
            p.line > 0 && <span>{w.at(String(p.line), String(p.column))}</span>
          )}{" "}
          {p.message}
        </li>
      ))}
    </ul>
  );
}
