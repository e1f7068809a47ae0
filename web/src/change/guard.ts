import { useEffect } from "preact/hooks";
import { guard } from "../state/location";
import { words } from "../words";

/** useGuard asks before a text that was changed is left behind. */
export function useGuard(changed: boolean) {
  useEffect(() => {
    if (!changed) return;
    const free = guard(() => globalThis.confirm(words.value.change.leave));
    const unload = (e: BeforeUnloadEvent) => e.preventDefault();
    addEventListener("beforeunload", unload);
    return () => {
      free();
      removeEventListener("beforeunload", unload);
    };
  }, [changed]);
}
