import { Page } from "../ui/page";
import { words } from "../words";

/** Off is what an open page shows once the console was switched off. */
export function Off() {
  const w = words.value.shell.off;
  return (
    <Page title={w.title}>
      <p>{w.how}</p>
    </Page>
  );
}
