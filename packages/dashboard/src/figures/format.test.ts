import { expect, test } from "vitest";
import { bytes, count, duration, milliseconds, moment, percent, plainLine, rate } from "./format.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("few digits, a unit, and a dash for what is not known", () => {
  expect([rate(0), rate(0.01), rate(3.24), rate(1_234.5), rate(250_000), rate(undefined)]).toEqual([
    "0",
    "<0.1",
    "3.2",
    "1,235",
    "250k",
    "–",
  ]);
  expect([0, 0.00001, 0.0008, 0.0123, 0.5, 1, undefined].map((share) => plain(percent(share)))).toEqual([
    "0 %",
    "<0.01 %",
    "0.08 %",
    "1.2 %",
    "50 %",
    "100 %",
    "–",
  ]);
  expect([0, 0.058, 9.38, 99.7, 358.6, 999.9, 12_340, null].map((ms) => plain(milliseconds(ms)))).toEqual([
    "0 ms",
    "0.06 ms",
    "9.4 ms",
    "100 ms",
    "359 ms",
    "1.00 s",
    "12.3 s",
    "–",
  ]);
  expect([0, 900, 5_000_000, 88_000_000, 5_000_000_000].map((size) => plain(bytes(size)))).toEqual([
    "0 MB",
    "1 kB",
    "4.8 MB",
    "84 MB",
    "4.7 GB",
  ]);
  expect(count(1_234_567)).toBe("1,234,567");
});

test("durations have two units at most", () => {
  const shown = [0, 999, 59_000, 60_000, 3_725_000, 90_061_000, -5].map((ms) => plain(duration(ms)));
  expect(shown).toEqual(["0 s", "0 s", "59 s", "1 min", "1 h 2 min", "1 d 1 h", "0 s"]);
});

test("of today the time alone", () => {
  const now = new Date(2026, 10, 27, 12).getTime();
  expect(moment(new Date(2026, 10, 27, 9, 5, 7).getTime(), now)).toBe("09:05:07");
  expect(moment(new Date(2026, 10, 26, 9, 5, 7).getTime(), now)).toBe("26 Nov 09:05:07");
});

test("BAD-INPUTS 186: a line has nothing in it that a terminal takes for an order", () => {
  const [esc, bell] = ["\u001b", "\u0007"];
  expect(plainLine(`${esc}[31mred${esc}[0m\tand ${esc}]0;title${bell}so${bell} on\r`)).toBe("red\tand so on");
});
