/** A Row is one line of a difference, with its number in the texts that have it. */
export interface Row {
  kind: "same" | "gone" | "new";
  text: string;
  before?: number;
  after?: number;
}

// The largest table that lines are compared in. What is larger is shown as taken
// away and written anew, which is true, too.
const maxTable = 4_000_000;

const split = (text: string) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

/** difference compares two texts line by line. */
export function difference(before: string, after: string): Row[] {
  const a = split(before);
  const b = split(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (
    tail < a.length - head &&
    tail < b.length - head &&
    a[a.length - 1 - tail] === b[b.length - 1 - tail]
  )
    tail++;
  const out: Row[] = [];
  for (let i = 0; i < head; i++) out.push({ kind: "same", text: a[i] ?? "", before: i + 1, after: i + 1 });
  middle(a, b, head, tail, out);
  for (let i = tail; i > 0; i--) {
    const [x, y] = [a.length - i, b.length - i];
    out.push({ kind: "same", text: a[x] ?? "", before: x + 1, after: y + 1 });
  }
  return out;
}

// The longest common subsequence of what is between equal heads and tails.
function middle(a: string[], b: string[], head: number, tail: number, out: Row[]) {
  const n = a.length - head - tail;
  const m = b.length - head - tail;
  const width = m + 1;
  const small = n * m <= maxTable;
  const best = new Uint32Array(small ? (n + 1) * width : 0);
  for (let i = n - 1; small && i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      best[i * width + j] =
        a[head + i] === b[head + j]
          ? (best[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(best[(i + 1) * width + j] ?? 0, best[i * width + j + 1] ?? 0);
    }
  }
  let i = 0;
  let j = 0;
  while (i < n || j < m) {
    const [x, y] = [head + i, head + j];
    if (small && i < n && j < m && a[x] === b[y]) {
      out.push({ kind: "same", text: a[x] ?? "", before: x + 1, after: y + 1 });
      i++;
      j++;
    } else if (
      i < n &&
      (j >= m || !small || (best[(i + 1) * width + j] ?? 0) >= (best[i * width + j + 1] ?? 0))
    ) {
      out.push({ kind: "gone", text: a[x] ?? "", before: x + 1 });
      i++;
    } else {
      out.push({ kind: "new", text: b[y] ?? "", after: y + 1 });
      j++;
    }
  }
}

/** A Gap stands for lines that are equal and not shown. */
export interface Gap {
  kind: "gap";
  lines: number;
}

/** hunks leaves out the equal lines that are far from a change. */
export function hunks(rows: readonly Row[], around = 3): (Row | Gap)[] {
  const near = new Array<boolean>(rows.length).fill(false);
  rows.forEach((r, i) => {
    if (r.kind === "same") return;
    for (let j = Math.max(0, i - around); j <= Math.min(rows.length - 1, i + around); j++) near[j] = true;
  });
  const out: (Row | Gap)[] = [];
  rows.forEach((r, i) => {
    const last = out.at(-1);
    if (near[i]) out.push(r);
    else if (last?.kind === "gap") last.lines++;
    else out.push({ kind: "gap", lines: 1 });
  });
  return out;
}
