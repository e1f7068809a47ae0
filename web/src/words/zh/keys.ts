import type { Words } from "../index";

export const keys: Words["keys"] = {
  title: "键",
};
