import { Page } from "../ui/page";
import { words } from "../words";

export function Changes() {
  const w = words.value.changes;
  return <Page title={w.title}>{null}</Page>;
}
