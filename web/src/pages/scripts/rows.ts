import type { KeyTree, Script } from "../../api/types";

/** A Row is one script: what it does, and the key or file that has its text. */
export interface Row {
  category: string;
  name: string;
  namespace: string;
  state: string;
  error: string;
  runs: number;
  drops: number;
  errors: number;
  ns: number;
  store: string;
  key: string;
}

/** idOf names a row among the others. */
export const idOf = (r: Row) => `${r.store}/${r.key}`;

/**
 * rowsOf joins the scripts that the agent has with the keys that they come from. A
 * key that a store before its own has, too, is no script of the agent: it is shown
 * all the same, as what it is.
 */
export function rowsOf(scripts: readonly Script[], trees: readonly KeyTree[]): Row[] {
  const rows: Row[] = [];
  const known = new Set<string>();
  for (const s of scripts) {
    const key = `pipeline/${s.category}/${s.name}`;
    const tree = trees.find((t) => s.origin === origin(t, key));
    const { category, name, namespace, state, error, runs, drops, errors, ns } = s;
    rows.push({
      category,
      name,
      namespace,
      state,
      error,
      runs,
      drops,
      errors,
      ns,
      store: tree?.id ?? "",
      key,
    });
    if (tree) known.add(`${tree.id}/${key}`);
  }
  for (const t of trees) {
    for (const k of t.keys) {
      const [, category, name] = /^pipeline\/([^/]+)\/([^/]+\.p)$/.exec(k.key) ?? [];
      if (!category || !name || known.has(`${t.id}/${k.key}`)) continue;
      const namespace = t.id === "local" ? "default" : "confd";
      const none = { runs: 0, drops: 0, errors: 0, ns: 0 };
      rows.push({
        category,
        name,
        namespace,
        state: k.state,
        error: k.error,
        ...none,
        store: t.id,
        key: k.key,
      });
    }
  }
  return rows;
}

const origin = (t: KeyTree, key: string) =>
  t.id === "local" ? `local:${key}` : `${t.backend}:${t.root}/${key}`;

/** winner returns the script that runs instead of a row that does not. */
export function winner(row: Row, rows: readonly Row[]): Row | undefined {
  return rows.find(
    (r) => r !== row && r.category === row.category && r.name === row.name && r.state === "active",
  );
}

/** cost returns the nanoseconds of one run. */
export const cost = (r: Row) => (r.runs > 0 ? Math.round(r.ns / r.runs) : 0);
