import { useMemo } from "preact/hooks";
import { Diff } from "../ui/diff";
import { words } from "../words";
import { unified } from "./difference";

interface Props {
  label: string;
  before: string;
  after: string;
}

/** Difference shows what one text has and the other has not. */
export function Difference({ label, before, after }: Props) {
  const text = useMemo(() => unified(before, after), [before, after]);
  return text === "" ? (
    <p class="faint">{words.value.change.noDifference}</p>
  ) : (
    <Diff text={text} label={label} />
  );
}
