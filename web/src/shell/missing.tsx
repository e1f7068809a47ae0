import { Page } from "../ui/page";
import { words } from "../words";

/** Missing is what stands at an address that is no page. */
export function Missing() {
  const w = words.value.shell;
  return (
    <Page title={w.missing}>
      <p>{w.missingHow}</p>
      <p>
        <a href="/">{w.home}</a>
      </p>
    </Page>
  );
}
