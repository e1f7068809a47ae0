import { useState } from "preact/hooks";
import type { PlanAnswer, Problem, TrialStep } from "../api/types";
import { Dialog } from "../ui/dialog";
import { words } from "../words";
import { Conflict } from "./conflict";
import { Difference } from "./difference-view";
import { PlanView, refused } from "./plan-view";
import { isConflict, plan, put, readVersion, said, type Target, type Version } from "./store";

/** A Draft is a text that is to be written under a key, and what it is based on. */
export interface Draft {
  target: Target;
  base: Version;
  text: string;
}

type Step =
  | { at: "closed" }
  | { at: "planning" }
  | { at: "planned"; plan: PlanAnswer }
  | { at: "writing"; plan: PlanAnswer }
  | { at: "conflict"; theirs: Version }
  | { at: "failed"; message: string };

export interface Flow {
  /** What stands over the page while a change is on its way; null where none is. */
  view: preact.JSX.Element | null;
  busy: boolean;
  /** begin plans a draft. */
  begin: (d: Draft) => void;
}

interface Options {
  onWritten: (d: Draft, etag: string, steps: readonly TrialStep[]) => void;
  /** The draft goes on from what somebody else wrote. */
  onRebase: (base: Version, text: string) => void;
  onProblem?: (p: Problem) => void;
}

/** useFlow takes a draft the way that each change goes: the plan, the write, and what to do when somebody was faster. */
export function useFlow({ onWritten, onRebase, onProblem }: Options): Flow {
  const [step, setStep] = useState<Step>({ at: "closed" });
  const [draft, setDraft] = useState<Draft>();
  const close = () => setStep({ at: "closed" });
  const fail = (error: unknown) => setStep({ at: "failed", message: said(error) });

  const begin = (d: Draft) => {
    setDraft(d);
    setStep({ at: "planning" });
    plan(d.target, d.text).then((p) => setStep({ at: "planned", plan: p }), fail);
  };
  const write = async (d: Draft, p: PlanAnswer) => {
    setStep({ at: "writing", plan: p });
    try {
      const { written, etag } = await put(d.target, d.text, d.base.etag);
      close();
      onWritten(d, etag, written.steps);
    } catch (error) {
      if (!isConflict(error)) return fail(error);
      readVersion(d.target).then((theirs) => setStep({ at: "conflict", theirs }), fail);
    }
  };
  const rebase = (base: Version, text: string) => {
    close();
    onRebase(base, text);
  };
  const go = (p: Problem) => {
    close();
    onProblem?.(p);
  };
  const view =
    draft && step.at !== "closed" ? <Window {...{ draft, step, close, write, rebase, go }} /> : null;
  return { view, busy: step.at === "planning" || step.at === "writing", begin };
}

interface WindowProps {
  draft: Draft;
  step: Exclude<Step, { at: "closed" }>;
  close: () => void;
  write: (d: Draft, p: PlanAnswer) => void;
  rebase: (base: Version, text: string) => void;
  go: (p: Problem) => void;
}

function Window({ draft, step, close, write, rebase, go }: WindowProps) {
  const w = words.value;
  switch (step.at) {
    case "planning":
      return (
        <Dialog title={w.change.plan} onClose={close}>
          <p class="loading">{w.shell.loading}</p>
        </Dialog>
      );
    case "failed":
      return (
        <Dialog title={w.change.failed} onClose={close}>
          <p class="notice bad" role="alert">
            {step.message}
          </p>
        </Dialog>
      );
    case "conflict":
      return <Conflict draft={draft} theirs={step.theirs} onClose={close} onRebase={rebase} />;
    default:
      return <Planned {...{ draft, step, close, write, go }} />;
  }
}

function Planned({
  draft,
  step,
  close,
  write,
  go,
}: Omit<WindowProps, "rebase" | "step"> & { step: { at: string; plan: PlanAnswer } }) {
  const w = words.value;
  const bad = refused(step.plan);
  const writing = step.at === "writing";
  return (
    <Dialog
      title={w.change.planOf(draft.target.key)}
      wide
      onClose={close}
      actions={
        <>
          <button type="button" onClick={close}>
            {w.change.goOn}
          </button>
          <button
            type="button"
            class="main"
            disabled={bad || writing}
            onClick={() => write(draft, step.plan)}
          >
            {writing ? w.change.writing : w.change.put(draft.target.store)}
          </button>
        </>
      }
    >
      {bad && (
        <p class="notice bad" role="alert">
          {w.change.refused}
        </p>
      )}
      <PlanView plan={step.plan} onProblem={go} />
      <h3>{w.change.difference}</h3>
      <Difference label={w.change.difference} before={draft.base.text} after={draft.text} />
    </Dialog>
  );
}
