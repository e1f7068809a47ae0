import { ask, call, Refusal } from "../api/client";
import type { KeyValue, KeyWritten, PlanAnswer, Problem } from "../api/types";

/** A Target names one key of one store. */
export interface Target {
  store: string;
  key: string;
}

/** A Version is what a key held, with the tag that a write compares with; "" is no key. */
export interface Version {
  text: string;
  etag: string;
}

/** lf is a text as an editor has it: with line feeds alone. */
export const lf = (text: string) => text.replace(/\r\n?/g, "\n");

/** read reads a key with what became of it; from the store itself where it must be new. */
export async function read(t: Target, fresh = false): Promise<{ value: KeyValue; etag: string }> {
  const { answer, etag } = await ask("GET /v1/keys/{store}/{key}", {
    path: { ...t },
    query: { fresh: fresh || undefined },
  });
  return { value: answer.content, etag };
}

/** readVersion reads what a key holds now, in its store. */
export async function readVersion(t: Target): Promise<Version> {
  try {
    const { value, etag } = await read(t, true);
    return { text: lf(value.value), etag };
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return { text: "", etag: "" };
    throw error;
  }
}

/** plan says what a text under a key would do, or its deletion. */
export function plan(t: Target, text: string | undefined): Promise<PlanAnswer> {
  const entry = text === undefined ? { key: t.key, value: "", deleted: true } : { key: t.key, value: text };
  return call("POST /v1/confd/plan", { body: { source: t.store, entries: [entry] } });
}

/** put writes a key that still is what the change is based on. */
export async function put(
  t: Target,
  text: string,
  base: string,
): Promise<{ written: KeyWritten; etag: string }> {
  const headers: Record<string, string> = base === "" ? { "If-None-Match": "*" } : { "If-Match": base };
  const { answer, etag } = await ask("PUT /v1/keys/{store}/{key}", { path: { ...t }, headers, body: text });
  return { written: answer.content, etag };
}

/** remove deletes a key that still is what was seen. */
export async function remove(t: Target, base: string): Promise<void> {
  await call("DELETE /v1/keys/{store}/{key}", { path: { ...t }, headers: { "If-Match": base } });
}

/** validate says what an agent would refuse in a text. */
export async function validate(key: string, value: string, signal: AbortSignal): Promise<Problem[]> {
  const { content } = await call("POST /v1/confd/validate", { body: { key, value }, signal });
  return content.problems;
}

/** isConflict reports whether somebody else was faster. */
export const isConflict = (error: unknown) => error instanceof Refusal && error.status === 409;

/** said returns the words of an error. */
export const said = (error: unknown) => (error instanceof Error ? error.message : String(error));
