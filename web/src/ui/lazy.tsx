import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { words } from "../words";

/** lazy returns a component that is loaded when it is first shown. */
export function lazy(load: () => Promise<ComponentType>): ComponentType {
  let loaded: ComponentType | undefined;
  return function Lazy() {
    const [state, setState] = useState<"loading" | "loaded" | "failed">(loaded ? "loaded" : "loading");
    useEffect(() => {
      if (state !== "loading") return;
      let gone = false;
      load().then(
        (c) => {
          loaded = c;
          if (!gone) setState("loaded");
        },
        () => {
          if (!gone) setState("failed");
        },
      );
      return () => {
        gone = true;
      };
    }, [state]);
    const w = words.value.shell;
    const Loaded = loaded;
    if (Loaded) return <Loaded />;
    if (state === "loading") return <p class="loading">{w.loading}</p>;
    // After an update of the agent the old names are gone: the new page knows the new ones.
    return (
      <div class="notice" role="alert">
        <p>{w.failed}</p>
        <button type="button" onClick={() => globalThis.location.reload()}>
          {w.reload}
        </button>
      </div>
    );
  };
}
