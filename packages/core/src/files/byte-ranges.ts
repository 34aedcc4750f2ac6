import { combineRanges, parse } from "range-parser";

/** The bytes `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Each range costs a part with a head of its own; who asks for more gets all of it (RFC 9110 §14.2). */
const maxRanges = 16;

/**
 * Which bytes of a file of `size` are asked for. `"whole"`: all, since the field is none, malformed, of another unit, or asks for so many that
 * the whole is less work; overlapping ones are joined (BAD-INPUTS 175).
 */
export function rangesIn(field: string, size: number): "whole" | "unsatisfiable" | readonly ByteRange[] {
  if (field.length > 512) return "whole";
  const { code, type, ranges } = parse(size, field);
  const malformed = (code & 1) !== 0;
  if (type !== "bytes" || malformed || ranges.length > maxRanges) return "whole";
  if (ranges.length === 0) return code === 0 ? "whole" : "unsatisfiable";
  const joined = combineRanges(ranges).map(({ start, end }) => ({ start, end: end + 1 }));
  const asked = joined.reduce((sum, { start, end }) => sum + end - start, 0);
  return joined.length > 1 && asked >= size ? "whole" : joined;
}
