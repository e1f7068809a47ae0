import { useState } from "preact/hooks";
import { call, Refusal } from "../api/client";
import { enter } from "../state/live";
import { Command } from "../ui/copy";
import { Field } from "../ui/field";
import { span } from "../ui/format";
import { Page } from "../ui/page";
import { words } from "../words";

/** Login is what everybody sees who is not let in. */
export function Login({ locked }: { locked: boolean }) {
  const w = words.value.shell.login;
  if (!locked) {
    return (
      <Page title={w.openTitle}>
        <div class="narrow">
          <p>{w.open}</p>
          <Command text={`ssh -L 9529:localhost:9529 ${location.hostname}`} />
          <Command text="datakit console token" />
        </div>
      </Page>
    );
  }
  return (
    <Page title={w.title}>
      <div class="narrow">
        <p>{w.locked}</p>
        <Form />
        <p>{w.how}</p>
        <Command text="datakit console token" />
      </div>
    </Page>
  );
}

function Form() {
  const [token, setToken] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const w = words.value.shell.login;
  const submit = async (e: Event) => {
    e.preventDefault();
    setBusy(true);
    setError("");
    try {
      await call("POST /v1/console/login", { body: { token: token.trim() } });
      setToken("");
      await enter();
    } catch (error) {
      setError(explain(error, w));
    }
    setBusy(false);
  };
  return (
    <form class="login" onSubmit={submit}>
      {/* For what keeps passwords: the token is of nobody in particular. */}
      <input type="text" name="username" autocomplete="username" value="datakit" readOnly hidden />
      <Field label={w.token} error={error || undefined}>
        {(id, described) => (
          <input
            id={id}
            type="password"
            autocomplete="current-password"
            required
            value={token}
            aria-describedby={described}
            aria-invalid={error ? true : undefined}
            onInput={(e) => setToken(e.currentTarget.value)}
          />
        )}
      </Field>
      <button type="submit" class="main" disabled={busy}>
        {w.submit}
      </button>
    </form>
  );
}

function explain(error: unknown, w: { wrong: string; wait: (s: string) => string }): string {
  if (error instanceof Refusal && error.status === 429) return w.wait(span((error.wait ?? 10) * 1000));
  if (error instanceof Refusal && error.status === 401) return w.wrong;
  return error instanceof Error ? error.message : String(error);
}
