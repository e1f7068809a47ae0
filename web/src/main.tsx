import "./style/tokens.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/controls.css";
import "./style/table.css";
import "./style/chart.css";
import "./style/diff.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { whenDenied } from "./api/client";
import { App } from "./app";
import { pages } from "./pages";
import { runClock } from "./state/clock";
import { enter, watchVisibility } from "./state/live";
import { follow } from "./state/location";
import { applyPreferences } from "./state/preferences";

effect(() => applyPreferences(document.documentElement));
follow((path) => pages.some((p) => p.path === path));
whenDenied(() => void enter());
runClock();
watchVisibility();
void enter();

const root = document.getElementById("app");
if (root) render(<App />, root);
