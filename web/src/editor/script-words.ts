// Words of the Pipeline language, in whatever case. The reserved ones mean nothing yet.
export const control: ReadonlySet<string> = new Set(["if", "elif", "else", "for", "in", "break", "continue"]);
export const reserved: ReadonlySet<string> = new Set([
  "while",
  "return",
  "identifier",
  "str",
  "bool",
  "int",
  "float",
  "list",
  "map",
]);

/** What each of the words that are values is. */
export const atoms: Readonly<Record<string, "bool" | "null" | "number">> = {
  true: "bool",
  false: "bool",
  nil: "null",
  null: "null",
  inf: "number",
  nan: "number",
};

/** The words that can be completed. */
export const keywords: readonly string[] = [...control, "true", "false", "nil"];
