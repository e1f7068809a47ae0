import { Page } from "../ui/page";
import { words } from "../words";

export function Overview() {
  const w = words.value.overview;
  return <Page title={w.title}>{null}</Page>;
}
