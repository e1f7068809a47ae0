import { change } from "./zh/change";
import { changes } from "./zh/changes";
import { editor } from "./zh/editor";
import { keys } from "./zh/keys";
import { overview } from "./zh/overview";
import { query } from "./zh/query";
import { scripts } from "./zh/scripts";
import { shell } from "./zh/shell";
import { state } from "./zh/state";
import { stores } from "./zh/stores";
import { units } from "./zh/units";

/** The texts in Chinese. */
export const zh = { shell, state, overview, units, changes, stores, keys, scripts, query, editor, change };
