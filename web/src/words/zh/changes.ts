import type { Words } from "../index";

export const changes: Words["changes"] = {
  title: "变更",
};
