import { Page } from "../ui/page";
import { words } from "../words";

export function Query() {
  const w = words.value.query;
  return <Page title={w.title}>{null}</Page>;
}
