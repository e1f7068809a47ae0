import type { Words } from "../index";

export const query: Words["query"] = {
  title: "查询",
};
