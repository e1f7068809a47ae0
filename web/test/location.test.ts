import { beforeEach, describe, expect, it } from "vitest";
import { choose, go, guard, here } from "../src/state/location";

describe("guard", () => {
  beforeEach(() => {
    go("/keys?store=etcdv3&key=confd%2Fcpu");
  });

  it("asks before another key or page, and stays where the answer is no", () => {
    let asked = 0;
    let answer = false;
    const free = guard(() => {
      asked++;
      return answer;
    });
    go("/keys?store=etcdv3&key=confd%2Fmem");
    go("/");
    expect([asked, here.value.pathname, here.value.searchParams.get("key")]).toEqual([
      2,
      "/keys",
      "confd/cpu",
    ]);
    answer = true;
    go("/");
    expect([asked, here.value.pathname]).toEqual([3, "/"]);
    free();
    go("/keys");
    expect([asked, here.value.pathname]).toEqual([3, "/keys"]);
  });

  it("does not ask for a filter", () => {
    const free = guard(() => false);
    choose({ filter: "cpu" });
    expect(here.value.searchParams.get("filter")).toBe("cpu");
    free();
  });

  it("ends no other's", () => {
    const first = guard(() => true);
    const second = guard(() => false);
    first();
    go("/");
    expect(here.value.pathname).toBe("/keys");
    second();
  });
});
