import { Page } from "../ui/page";
import { words } from "../words";

export function Stores() {
  const w = words.value.stores;
  return <Page title={w.title}>{null}</Page>;
}
