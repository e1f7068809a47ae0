import type { Words } from "../index";

export const scripts: Words["scripts"] = {
  title: "脚本",
};
