import { computed } from "@preact/signals";
import { language } from "../state/preferences";

const locale = computed(() => (language.value === "zh" ? "zh-CN" : "en-GB"));
const numbers = computed(() => new Intl.NumberFormat(locale.value, { maximumFractionDigits: 2 }));
const short = computed(
  () =>
    new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0 }),
);
const clock = computed(
  () =>
    new Intl.DateTimeFormat(locale.value, {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    }),
);
const day = computed(
  () =>
    new Intl.DateTimeFormat(locale.value, {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    }),
);

/** number writes a count with its thousands apart. */
export const number = (n: number) => numbers.value.format(n);

/** compact writes 12,345 as 12.3K, for where there is little room. */
export const compact = (n: number) => short.value.format(n);

/** bytes writes a size in units of 1024. */
export function bytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  let value = n;
  while (value >= 1024 && i < units.length - 1) {
    value /= 1024;
    i++;
  }
  return `${value >= 100 || i === 0 ? Math.round(value) : value.toFixed(1)} ${units[i]}`;
}

/** took writes how long something took, given in nanoseconds. */
export function took(ns: number): string {
  if (ns < 1_000) return `${ns} ns`;
  if (ns < 1_000_000) return `${trim(ns / 1_000)} µs`;
  if (ns < 1_000_000_000) return `${trim(ns / 1_000_000)} ms`;
  return span(ns / 1_000_000);
}

// How a length of time is named, from the day down.
const lengths = { en: [" d", " h", " min", " s"], zh: [" 天", " 小时", " 分", " 秒"] } as const;

/** span writes a length of time in its one or two largest units, given in milliseconds. */
export function span(ms: number): string {
  const [d, h, min, sec] = lengths[language.value];
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return trim(s) + sec;
  if (s < 60) return Math.floor(s) + sec;
  if (s < 3600) return pair(s, 60, min, 1, sec);
  if (s < 86400) return pair(s, 3600, h, 60, min);
  return pair(s, 86400, d, 3600, h);
}

function pair(s: number, large: number, x: string, small: number, y: string): string {
  const rest = Math.floor((s % large) / small);
  return Math.floor(s / large) + x + (rest > 0 ? ` ${rest}${y}` : "");
}

const trim = (n: number) => (n >= 100 ? Math.round(n).toString() : String(Number(n.toPrecision(2))));

/** since returns the milliseconds from a time to now; undefined where it has not come. */
export function since(time: string, now: number): number | undefined {
  return time === "" ? undefined : Math.max(0, now - Date.parse(time));
}

/** when writes a time of today as a time of day, and any other with its day. */
export function when(time: string, now: number): string {
  if (time === "") return "–";
  const at = new Date(time);
  return at.toDateString() === new Date(now).toDateString() ? clock.value.format(at) : day.value.format(at);
}

/** exactly writes a time with its day, for a title. */
export const exactly = (time: string) => (time === "" ? "" : day.value.format(new Date(time)));
