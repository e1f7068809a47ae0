import { computed } from "@preact/signals";
import { language } from "../state/preferences";
import { en } from "./en";
import { zh } from "./zh";

// The texts of a language: those of English, in whatever words. One that is
// missing does not compile.
type Same<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...args: infer A) => string
      ? (...args: A) => string
      : Same<T[K]>;
};

export type Words = Same<typeof en>;

const texts: Record<"en" | "zh", Words> = { en, zh };

/** words holds the texts in the language that is chosen. */
export const words = computed(() => texts[language.value]);
