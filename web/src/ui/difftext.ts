/** A Side is one line of one side: its number and its text. */
export interface Side {
  n: number;
  text: string;
}

/** A Row is one line of a difference, with both sides where they go together. */
export interface Row {
  kind: "same" | "change" | "remove" | "add" | "gap";
  left?: Side;
  right?: Side;
  /** How many equal lines a gap leaves out; undefined at the end, where nobody knows. */
  skipped?: number;
}

const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/** rowsOf reads a unified difference. What is not one is shown as it is. */
export function rowsOf(unified: string): Row[] {
  const rows: Row[] = [];
  let left = 1;
  let right = 1;
  let removed: Side[] = [];
  let added: Side[] = [];
  const flush = () => {
    for (let i = 0; i < Math.max(removed.length, added.length); i++) {
      const l = removed[i];
      const r = added[i];
      if (l && r) rows.push({ kind: "change", left: l, right: r });
      else if (l) rows.push({ kind: "remove", left: l });
      else if (r) rows.push({ kind: "add", right: r });
    }
    removed = [];
    added = [];
  };
  for (const line of unified.replace(/\n$/, "").split("\n")) {
    const head = hunk.exec(line);
    if (head) {
      flush();
      // An empty side of a hunk names the line before it.
      const l = Number(head[1]) + (head[2] === "0" ? 1 : 0);
      const r = Number(head[3]) + (head[4] === "0" ? 1 : 0);
      if (l > left) rows.push({ kind: "gap", skipped: l - left });
      left = l;
      right = r;
    } else if (line.startsWith("-")) {
      if (added.length > 0) flush();
      removed.push({ n: left++, text: line.slice(1) });
    } else if (line.startsWith("+")) added.push({ n: right++, text: line.slice(1) });
    else if (!line.startsWith("\\")) {
      flush();
      const text = line.startsWith(" ") ? line.slice(1) : line;
      rows.push({ kind: "same", left: { n: left++, text }, right: { n: right++, text } });
    }
  }
  flush();
  return rows;
}

/** parted returns what two lines have in common at both ends, and what differs between. */
export function parted(a: string, b: string): { head: string; a: string; b: string; tail: string } {
  const x = [...a];
  const y = [...b];
  let i = 0;
  while (i < x.length && i < y.length && x[i] === y[i]) i++;
  let j = 0;
  while (j < x.length - i && j < y.length - i && x[x.length - 1 - j] === y[y.length - 1 - j]) j++;
  return {
    head: x.slice(0, i).join(""),
    a: x.slice(i, x.length - j).join(""),
    b: y.slice(i, y.length - j).join(""),
    tail: x.slice(x.length - j).join(""),
  };
}
