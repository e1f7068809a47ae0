import { Page } from "../ui/page";
import { words } from "../words";

export function Units() {
  const w = words.value.units;
  return <Page title={w.title}>{null}</Page>;
}
