import { now } from "../state/clock";
import { words } from "../words";
import { exactly, since, span, when } from "./format";

/** Ago is how long ago something was, and keeps counting. */
export function Ago({ time }: { time: string }) {
  const ms = since(time, now.value);
  if (ms === undefined) return <>–</>;
  return (
    <time dateTime={time} title={exactly(time)}>
      {words.value.shell.ago(span(Math.floor(ms / 1000) * 1000))}
    </time>
  );
}

/** At is when something was. */
export function At({ time }: { time: string }) {
  if (time === "") return <>–</>;
  return (
    <time dateTime={time} title={exactly(time)}>
      {when(time, now.value)}
    </time>
  );
}
