import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  /** The control, given the ID and what describes it. */
  children: (id: string, describedBy: string | undefined) => ComponentChildren;
}

/** Field is a control with its label, a hint, and what is wrong with it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const described = error ? `${id}-error` : hint ? `${id}-hint` : undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, described)}
      {hint && !error && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

interface SelectProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onChange: (value: string) => void;
}

/** Select is a short choice with its label before it. */
export function Select({ label, value, options, onChange }: SelectProps) {
  return (
    <label class="select">
      <span>{label}</span>
      <select value={value} onChange={(e) => onChange(e.currentTarget.value)}>
        {options.map(([v, text]) => (
          <option key={v} value={v}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface FilterProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
}

/** Filter is the search box of a page; the key / goes to it. */
export function Filter({ label, value, onInput }: FilterProps) {
  return (
    <label class="filter">
      <span class="hidden">{label}</span>
      <input
        type="search"
        data-filter
        value={value}
        placeholder={label}
        spellcheck={false}
        autocomplete="off"
        onInput={(e) => onInput(e.currentTarget.value)}
      />
    </label>
  );
}
