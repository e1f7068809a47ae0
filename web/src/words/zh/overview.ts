import type { Words } from "../index";

export const overview: Words["overview"] = {
  title: "概览",
};
