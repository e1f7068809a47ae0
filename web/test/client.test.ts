import { afterEach, describe, expect, it, vi } from "vitest";
import { address, ask, call, Refusal, Unreachable, whenDenied } from "../src/api/client";

const answers = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  vi.spyOn(globalThis, "fetch").mockImplementation(
    async () =>
      new Response(typeof body === "string" ? body : JSON.stringify(body), {
        status,
        headers: { "Content-Type": "application/json", ...headers },
      }),
  );

afterEach(() => whenDenied(() => {}));

describe("a call", () => {
  it("sends what a write needs, and returns the ETag", async () => {
    const fetch = answers(200, { content: { key: "k" } }, { ETag: '"43"' });
    const reply = await ask("PUT /v1/keys/{store}/{key}", {
      path: { store: "etcdv3#2", key: "confd/a b" },
      headers: { "If-Match": '"42"' },
      body: "[[inputs.cpu]]\n",
    });
    expect(reply.etag).toBe('"43"');
    const [url, init] = fetch.mock.calls[0] ?? [];
    expect(url).toBe("/v1/keys/etcdv3%232/confd/a%20b");
    expect(init?.method).toBe("PUT");
    expect(init?.body).toBe("[[inputs.cpu]]\n");
    expect(init?.headers).toMatchObject({ "X-Datakit-Console": "1", "If-Match": '"42"' });
  });

  it("sends no such header to read", async () => {
    const fetch = answers(200, {});
    await call("GET /v1/status");
    expect(fetch.mock.calls[0]?.[1]?.headers).toEqual({});
  });

  it("throws what the agent says", async () => {
    answers(422, {
      error_code: "datakit.badValue",
      message: "no",
      errors: [{ line: 2, column: 3, message: "x" }],
    });
    const error = await call("GET /v1/status").catch((e) => e);
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({
      status: 422,
      code: "datakit.badValue",
      message: "no",
      errors: [{ line: 2 }],
    });
  });

  it("takes the page of a proxy for no message", async () => {
    answers(502, "<html>Bad gateway</html>");
    await expect(call("GET /v1/status")).rejects.toMatchObject({ status: 502, message: "HTTP 502" });
  });

  it("says how long to wait", async () => {
    answers(429, { message: "slow down" }, { "Retry-After": "11" });
    await expect(call("POST /v1/console/login", { body: { token: "x" } })).rejects.toMatchObject({
      wait: 11,
    });
  });

  it("tells that no answer came", async () => {
    vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("connection refused"));
    await expect(call("GET /v1/status")).rejects.toBeInstanceOf(Unreachable);
  });

  it("asks for a login where the session is over", async () => {
    const denied = vi.fn();
    whenDenied(denied);
    answers(401, { error_code: "datakit.login", message: "log in" });
    await expect(call("GET /v1/changes")).rejects.toBeInstanceOf(Refusal);
    expect(denied).toHaveBeenCalledOnce();
  });
});

describe("an address", () => {
  it("leaves out what is not given, and cannot be led astray", () => {
    expect(address("/v1/changes", { query: { limit: 5, since: undefined } })).toBe("/v1/changes?limit=5");
    expect(address("/v1/keys/{store}/{key}", { path: { store: "a?b", key: "x#y/z" } })).toBe(
      "/v1/keys/a%3Fb/x%23y/z",
    );
  });
});
