import { change } from "./en/change";
import { changes } from "./en/changes";
import { editor } from "./en/editor";
import { keys } from "./en/keys";
import { overview } from "./en/overview";
import { query } from "./en/query";
import { scripts } from "./en/scripts";
import { shell } from "./en/shell";
import { state } from "./en/state";
import { stores } from "./en/stores";
import { units } from "./en/units";

/** The texts in English. */
export const en = { shell, state, overview, units, changes, stores, keys, scripts, query, editor, change };
