import type { Specification } from "../../api/types";

/** starter returns the sample of an input, "" where none is chosen. */
export function starter(specs: Specification | undefined, input: string): string {
  return specs?.inputs.find((i) => i.name === input)?.sample ?? "";
}

export type KeyProblem = "" | "keyEmpty" | "keyFolder" | "keyScript" | "keyParts" | "keyTaken";

/** keyProblem says what is wrong with the name of a new key; the words for it are those of the page. */
export function keyProblem(key: string, taken: boolean): KeyProblem {
  if (key === "" || key.endsWith("/")) return "keyEmpty";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(key) || key.split("/").some((p) => p === "" || p === "." || p === ".."))
    return "keyParts";
  if (key.startsWith("pipeline/")) {
    if (!/^pipeline\/[a-z_]+\/[^./][^/]*\.p$/.test(key)) return "keyScript";
  } else if (!key.startsWith("confd/") && key.includes("/")) return "keyFolder";
  return taken ? "keyTaken" : "";
}
