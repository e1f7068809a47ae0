import { afterEach, describe, expect, it } from "vitest";
import { language } from "../src/state/preferences";
import { bytes, since, span, took } from "../src/ui/format";

describe("format", () => {
  it.each([
    [0, "0 s"],
    [900, "0.9 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_661_000, "1 h 1 min"],
    [90_000_000, "1 d 1 h"],
    [-5, "0 s"],
  ])("writes %d ms as %s", (ms, want) => expect(span(ms)).toBe(want));

  it.each([
    [0, "0 ns"],
    [1_500, "1.5 µs"],
    [81_000, "81 µs"],
    [1_234_567, "1.2 ms"],
    [2_000_000_000, "2 s"],
  ])("writes %d ns as %s", (ns, want) => expect(took(ns)).toBe(want));

  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1536, "1.5 KiB"],
    [33_554_432, "32.0 MiB"],
  ])("writes %d bytes as %s", (n, want) => expect(bytes(n)).toBe(want));

  it("knows that a time has not come", () => {
    expect(since("", 5)).toBeUndefined();
    expect(since("1970-01-01T00:00:01Z", 3000)).toBe(2000);
  });
});

describe("in Chinese", () => {
  afterEach(() => {
    language.value = "en";
  });

  it("names lengths of time in Chinese", () => {
    language.value = "zh";
    expect(span(3_661_000)).toBe("1 小时 1 分");
    expect(span(5_000)).toBe("5 秒");
  });
});
