import type { Words } from "../index";

export const units: Words["units"] = {
  title: "采集单元",
};
