import { Page } from "../ui/page";
import { words } from "../words";

export function Keys() {
  const w = words.value.keys;
  return <Page title={w.title}>{null}</Page>;
}
