import { useEffect } from "preact/hooks";
import { choose, param, to } from "../state/location";
import { readSpecs } from "../state/specs";
import { trees, treesTrouble, useTrees } from "../state/trees";
import "../style/keys.css";
import { Filter } from "../ui/field";
import { Page } from "../ui/page";
import { words } from "../words";
import { KeyView } from "./keys/key-view";
import { NewKey } from "./keys/new-key";
import { TreeView } from "./keys/tree-view";

/** Keys is the keys of all stores: a tree, and the one that is chosen. */
export function Keys() {
  const w = words.value.keys;
  const [store, key, fresh] = [param("store"), param("key"), param("new") !== ""];
  useTrees();
  useEffect(() => void readSpecs(), []);
  const writable = trees.value?.some((t) => t.writable) ?? false;
  const chosen = fresh || key !== "";
  return (
    <Page
      title={w.title}
      tab={key ? `${key} · ${w.title}` : w.title}
      beside={
        writable && (
          <a class="button" href={to("/keys", { new: "1", store })}>
            {w.newKey}
          </a>
        )
      }
    >
      {treesTrouble.value && (
        <p class="notice bad" role="alert">
          {treesTrouble.value}
        </p>
      )}
      <div class={chosen ? "split chosen" : "split"}>
        <div class="side">
          <div class="tools">
            <Filter label={w.filter} value={param("filter")} onInput={(filter) => choose({ filter })} />
          </div>
          {trees.value ? (
            <TreeView trees={trees.value} text={param("filter")} store={store} chosen={key} />
          ) : (
            <p class="loading">{words.value.shell.loading}</p>
          )}
        </div>
        <div class="rest">
          {chosen && (
            <a class="back" href="/keys">
              {w.back}
            </a>
          )}
          {fresh ? (
            <NewKey />
          ) : key ? (
            <KeyView key={`${store}/${key}`} store={store} name={key} />
          ) : (
            <Nothing />
          )}
        </div>
      </div>
    </Page>
  );
}

function Nothing() {
  const w = words.value.keys;
  const any = trees.value?.some((t) => t.keys.length > 0);
  return (
    <div class="empty">
      <p>{any ? w.chooseOne : w.noneYet}</p>
      {!any && (
        <pre class="mono">
          {"datakit confd put confd/cpu - <<'EOF'\n[[inputs.cpu]]\n  interval = \"10s\"\nEOF"}
        </pre>
      )}
    </div>
  );
}
