import type { Calls, Problem } from "./types";

/** A Refusal is an answer that is an error, in the agent's words. */
export class Refusal extends Error {
  override name = "Refusal";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: Problem[] = [],
    /** The seconds to wait, where the agent says so. */
    readonly wait?: number,
  ) {
    super(message);
  }
}

/** Unreachable says that no answer came at all. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

export interface Options {
  /** What replaces {store} and {key} in the path. */
  path?: Record<string, string>;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** A Reply is an answer with what its head says. */
export interface Reply<T> {
  answer: T;
  etag: string;
}

/** What goes with a route: its body where it takes one. */
type Given<C extends keyof Calls> = Calls[C]["body"] extends never
  ? [options?: Options]
  : [options: Options & { body: Calls[C]["body"] }];

// Set by who shows the login form: any answer may say that the session is over.
let onDenied = () => {};

/** whenDenied names what to do when the agent asks for a login. */
export function whenDenied(f: () => void) {
  onDenied = f;
}

/** call sends one request and returns what it answers; an error is a Refusal. */
export async function call<C extends keyof Calls>(route: C, ...given: Given<C>): Promise<Calls[C]["answer"]> {
  return (await ask(route, ...given)).answer;
}

/** ask is call, with the ETag of the answer. */
export async function ask<C extends keyof Calls>(
  route: C,
  ...[options]: Given<C>
): Promise<Reply<Calls[C]["answer"]>> {
  const [method = "GET", path = "/"] = route.split(" ");
  const given: Options & { body?: unknown } = options ?? {};
  const response = await send(method, address(path, given), given);
  const text = await response.text();
  if (!response.ok) throw refusal(response, text);
  const json = response.headers.get("Content-Type")?.startsWith("application/json");
  return {
    answer: (json ? JSON.parse(text) : text) as Calls[C]["answer"],
    etag: response.headers.get("ETag") ?? "",
  };
}

async function send(method: string, url: string, given: Options & { body?: unknown }): Promise<Response> {
  const headers: Record<string, string> = { ...given.headers };
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (method !== "GET") headers["X-Datakit-Console"] = "1";
  if (typeof given.body === "string") {
    headers["Content-Type"] ??= "text/plain; charset=utf-8";
    init.body = given.body;
  } else if (given.body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(given.body);
  }
  if (given.signal) init.signal = given.signal;
  try {
    return await fetch(url, init);
  } catch (error) {
    if (given.signal?.aborted) throw error;
    throw new Unreachable(error instanceof Error ? error.message : String(error));
  }
}

function refusal(response: Response, text: string): Refusal {
  let body: { error_code?: string; message?: string; errors?: Problem[] } = {};
  try {
    body = JSON.parse(text);
  } catch {
    // of a proxy before the agent: its page is no message for anybody
  }
  if (response.status === 401 && !response.url.endsWith("/v1/console/login")) onDenied();
  const wait = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return new Refusal(
    response.status,
    body.error_code ?? "",
    body.message ?? `HTTP ${response.status}`,
    body.errors ?? [],
    Number.isFinite(wait) ? wait : undefined,
  );
}

/** address returns the URL of a route with its parameters. */
export function address(path: string, { path: parts = {}, query = {} }: Options): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    (parts[name] ?? "").split("/").map(encodeURIComponent).join("/"),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size > 0 ? `${filled}?${search}` : filled;
}
