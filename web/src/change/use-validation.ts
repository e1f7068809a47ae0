import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../api/types";
import { validate } from "./store";

// How long a text has to rest before it is validated, in milliseconds.
const rest = 400;

// How often, and after which pause, an agent that is busy is asked again.
const retries = 3;
const pause = 1500;

export interface Validation {
  problems: readonly Problem[];
  /** The problems are of an older text than the one given. */
  pending: boolean;
}

/** useValidation validates a text once it rests, and forgets the answers that come too late. */
export function useValidation(key: string, text: string, enabled: boolean): Validation {
  const [state, setState] = useState<{ of: string; problems: readonly Problem[] }>({ of: "", problems: [] });
  const name = `${key}\n${text}`;
  useEffect(() => {
    if (!enabled || key === "") return;
    const abort = new AbortController();
    let timer = setTimeout(() => ask(retries), rest);
    // The plan before a write says what is wrong, whether or not an answer came here.
    const ask = (left: number) => {
      validate(key, text, abort.signal).then(
        (problems) => setState({ of: name, problems }),
        () => {
          if (!abort.signal.aborted && left > 0) timer = setTimeout(() => ask(left - 1), pause);
        },
      );
    };
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [name, enabled]);
  return enabled
    ? { problems: state.problems, pending: state.of !== name }
    : { problems: [], pending: false };
}
