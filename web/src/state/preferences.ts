import { signal } from "@preact/signals";

export type Language = "en" | "zh";
export type Theme = "auto" | "light" | "dark";

// A browser may keep nothing for us: then a choice lasts as long as the page.
function kept(name: string): string | null {
  try {
    return localStorage.getItem(`datakit.${name}`);
  } catch {
    return null;
  }
}

function keep(name: string, value: string) {
  try {
    localStorage.setItem(`datakit.${name}`, value);
  } catch {
    // it lasts as long as the page
  }
}

/** preferred returns the language that the browser asks for, as far as we speak it. */
export function preferred(languages: readonly string[]): Language {
  for (const l of languages) {
    if (/^zh\b/i.test(l)) return "zh";
    if (/^en\b/i.test(l)) return "en";
  }
  return "en";
}

const asLanguage = (s: string | null): Language | undefined => (s === "en" || s === "zh" ? s : undefined);
const asTheme = (s: string | null): Theme => (s === "light" || s === "dark" ? s : "auto");

export const language = signal<Language>(asLanguage(kept("language")) ?? preferred(navigator.languages));
export const theme = signal<Theme>(asTheme(kept("theme")));

export function speak(l: Language) {
  language.value = l;
  keep("language", l);
}

export function paint(t: Theme) {
  theme.value = t;
  keep("theme", t);
}

/** applyPreferences writes them into the document: the style reads them there. */
export function applyPreferences(root: HTMLElement) {
  root.lang = language.value === "zh" ? "zh-CN" : "en";
  if (theme.value === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme.value;
}
