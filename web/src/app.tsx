import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { pages } from "./pages";
import { Header } from "./shell/header";
import { KeyHelp, watchKeys } from "./shell/keyboard";
import { Login } from "./shell/login";
import { Missing } from "./shell/missing";
import { Navigation } from "./shell/navigation";
import { Off } from "./shell/off";
import { off, trouble, visit } from "./state/live";
import { path } from "./state/location";
import { words } from "./words";

/** App is the frame of every page. */
export function App() {
  const help = useSignal(false);
  const menu = useSignal(false);
  useEffect(() => watchKeys(help), []);
  const w = words.value.shell;
  return (
    <>
      <a class="skip" href="#main">
        {w.skip}
      </a>
      <Header menu={menu} help={help} />
      <div class="frame">
        <Navigation menu={menu} />
        <main id="main" tabIndex={-1}>
          <Content />
        </main>
      </div>
      {help.value && (
        <KeyHelp
          onClose={() => {
            help.value = false;
          }}
        />
      )}
    </>
  );
}

function Content() {
  const w = words.value.shell;
  if (off.value) return <Off />;
  if (!visit.value) {
    return <p class="loading">{trouble.value ? `${w.connectionHint.lost} (${trouble.value})` : w.loading}</p>;
  }
  if (!visit.value.admitted) return <Login locked={visit.value.locked} />;
  const page = pages.find((p) => p.path === path.value);
  if (!page) return <Missing />;
  return <page.show key={page.path} />;
}
