import { expect, it } from "vitest";
import { rangesIn } from "./byte-ranges.ts";

const one = (start: number, end: number) => [{ start, end }];

it.each([
  ["bytes=0-0", one(0, 1)],
  ["bytes=0-99", one(0, 100)],
  ["bytes=10-", one(10, 100)],
  ["bytes=-10", one(90, 100)],
  ["bytes=-1000", one(0, 100)],
  ["bytes=0-1000", one(0, 100)],
  ["BYTES=1-2", one(1, 3)],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=200-300,400-", "unsatisfiable"],
  ["bytes=200-300,0-0", one(0, 1)],
  ["bytes=0-0,99-99", [...one(0, 1), ...one(99, 100)]],
  ["bytes=99-99,0-0", [...one(99, 100), ...one(0, 1)]],
  ["bytes=0-10,5-20", one(0, 21)],
  ["bytes=0-10,11-20", one(0, 21)],
  ["bytes=0-,0-,0-", one(0, 100)],
  ["bytes=0-60,62-99", [...one(0, 61), ...one(62, 100)]],
  [`bytes=${Array.from({ length: 200 }, () => "0-0").join(",")}`, "whole"],
  [`bytes=${Array.from({ length: 17 }, (_, index) => `${index * 2}-${index * 2}`).join(",")}`, "whole"],
  ["bytes=", "whole"],
  ["bytes=-", "whole"],
  ["bytes=a-b", "whole"],
  ["bytes=5-2", "whole"],
  ["bytes=0-1x", "whole"],
  ["bytes=0x0-1", "whole"],
  ["bytes 0-1", "whole"],
  ["items=0-1", "whole"],
  ["bytes=0-0,x", "whole"],
  ["bytes=99999999999999999999-", "unsatisfiable"],
  ["", "whole"],
] as const)("BAD-INPUTS 175: %s", (field, expected) => {
  expect(rangesIn(field, 100)).toEqual(expected);
});

it("finds nothing to satisfy in an empty file", () => {
  expect(rangesIn("bytes=0-", 0)).toBe("unsatisfiable");
  expect(rangesIn("bytes=-5", 0)).toBe("whole");
});
