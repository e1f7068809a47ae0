import type { Status } from "../../api/types";
import type { Problem } from "../../state/problems";
import { Shape } from "../../ui/badge";
import { words } from "../../words";

/** Verdict is the one sentence that most people come for. */
export function Verdict({ status, wrong }: { status: Status; wrong: readonly Problem[] }) {
  const w = words.value.overview;
  const tone = status.converged ? (wrong.length > 0 ? "warn" : "good") : "bad";
  const means = status.converged ? w.convergedMeans : wrong.length > 0 ? w.notConvergedMeans : w.settling;
  return (
    <div class={`verdict verdict-${tone}`} role="status">
      <Shape tone={tone} />
      <div>
        <p class="verdict-word">{status.converged ? w.converged : w.notConverged}</p>
        <p class="verdict-means">{means}</p>
      </div>
    </div>
  );
}
