import { Page } from "../ui/page";
import { words } from "../words";

export function Scripts() {
  const w = words.value.scripts;
  return <Page title={w.title}>{null}</Page>;
}
