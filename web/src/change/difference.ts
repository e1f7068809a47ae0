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

// The equal lines that are shown beside a change.
const around = 3;

/** unified writes the difference of two texts as the agent does: lines with their sign, the equal ones near them. */
export function unified(before: string, after: string): string {
  const rows = difference(before, after);
  const near = new Array<boolean>(rows.length).fill(false);
  rows.forEach((r, i) => {
    if (r.kind !== "same") near.fill(true, Math.max(0, i - around), i + around + 1);
  });
  let out = "";
  for (let i = 0; i < rows.length; ) {
    if (!near[i]) {
      i++;
      continue;
    }
    let end = i;
    while (near[end]) end++;
    out += hunk(rows.slice(i, end));
    i = end;
  }
  return out;
}

const signs = { same: " ", gone: "-", new: "+" };

function hunk(rows: readonly Row[]): string {
  const a = rows.flatMap((r) => r.before ?? []);
  const b = rows.flatMap((r) => r.after ?? []);
  const head = `@@ -${a[0] ?? 0},${a.length} +${b[0] ?? 0},${b.length} @@\n`;
  return head + rows.map((r) => `${signs[r.kind]}${r.text}\n`).join("");
}
