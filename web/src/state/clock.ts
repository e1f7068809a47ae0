import { signal } from "@preact/signals";

/** The time in milliseconds, which "3 s ago" is counted from. It moves once a second while somebody looks. */
export const now = signal(Date.now());

/** run keeps the clock going; it stops while the page is hidden. */
export function runClock(): () => void {
  let timer: ReturnType<typeof setInterval> | undefined;
  const set = () => {
    clearInterval(timer);
    timer = undefined;
    if (document.hidden) return;
    now.value = Date.now();
    timer = setInterval(() => {
      now.value = Date.now();
    }, 1000);
  };
  document.addEventListener("visibilitychange", set);
  set();
  return () => {
    document.removeEventListener("visibilitychange", set);
    clearInterval(timer);
  };
}
