import type { FieldDescription, InputDescription } from "../../src/api/types";
import type { FieldWords } from "../../src/editor/toml-options";

const field = (name: string, type: string, more: Partial<FieldDescription> = {}): FieldDescription => ({
  name,
  type,
  doc: `About ${name}.`,
  doc_zh: `关于 ${name}。`,
  ...more,
});

/** Inputs as the agent describes them. */
export const inputs: InputDescription[] = [
  {
    name: "cpu",
    singleton: true,
    doc: "The processor.",
    doc_zh: "处理器。",
    sample: "[[inputs.cpu]]\n",
    fields: [
      field("interval", "duration", { default: '"10s"', min: '"1s"', live: true }),
      field("percpu", "bool", { default: "false" }),
      field("tags", "table of strings"),
    ],
  },
  {
    name: "prom",
    aliases: ["prometheus"],
    doc: "A page of metrics.",
    doc_zh: "指标页面。",
    sample: "[[inputs.prom]]\n",
    fields: [
      field("url", "string", { required: true, example: '"http://localhost:9100/metrics"' }),
      field("method", "string", { allowed: ["GET", "POST"], default: '"GET"' }),
      field("only", "list of strings", { allowed: ["counter", "gauge"] }),
      field("password", "string", { secret: true }),
      field("tls", "table", { fields: [field("ca", "string"), field("insecure", "bool")] }),
      field("rules", "list of tables", { fields: [field("match", "string", { required: true })] }),
    ],
  },
];

export const fieldWords: FieldWords = {
  required: "required",
  live: "live",
  secret: "secret",
  once: "once",
  byDefault: (v) => `default ${v}`,
  between: (a, b) => `${a} to ${b}`,
  unit: (u) => `in ${u}`,
  example: (v) => `Example: ${v}`,
  types: {},
};
