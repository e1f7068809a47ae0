import type { Words } from "../index";

export const stores: Words["stores"] = {
  title: "配置中心",
};
