import { call } from "../../api/client";
import type { Result } from "./answer";
import { asking, type Choice, type Spot } from "./complete";

// What the agent was asked lately: each letter that is typed asks for the same.
const lately = new Map<string, { until: number; choices: Promise<Choice[]> }>();
const lasting = 10_000;

/** known returns the names that fit at spot. An agent that does not answer knows none. */
export async function known(spot: Spot): Promise<Choice[]> {
  const lists = await Promise.all(asking(spot).map((q) => choicesOf(q)));
  return lists.flat();
}

function choicesOf(query: string): Promise<Choice[]> {
  const kept = lately.get(query);
  if (kept && kept.until > Date.now()) return kept.choices;
  const choices = call("POST /v1/query/raw", { body: { q: query } })
    .then((answer) => (answer.content as Result[]).flatMap((r) => namesIn(r)))
    .catch(() => []);
  lately.set(query, { until: Date.now() + lasting, choices });
  if (lately.size > 100) lately.delete(lately.keys().next().value ?? "");
  return choices;
}

/** namesIn returns the names in the answer to a show function, with their type where it says one. */
export function namesIn(result: Result): Choice[] {
  return result.series.flatMap((s) => {
    const kind = s.columns[0] === "tagKey" ? "tag" : s.columns[0] === "fieldKey" ? "field" : "measurement";
    return s.values.map((row): Choice => {
      const choice: Choice = { text: String(row[0]), kind };
      return typeof row[1] === "string" ? { ...choice, note: row[1] } : choice;
    });
  });
}
