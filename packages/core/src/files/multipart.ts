import type { Random } from "../model/random.ts";
import type { ByteRange } from "./byte-ranges.ts";
import type { FileSlice } from "./file-request.ts";

export interface MultipartOptions {
  readonly ranges: readonly ByteRange[];
  /** Of the whole. */
  readonly size: number;
  readonly type: string;
  readonly random: Random;
  readonly part: (range: ByteRange) => Buffer | FileSlice;
}

/** Several ranges in one body (RFC 9110 §14.6). The boundary is by chance, so that no file can be made to hold it. */
export function multipart({ ranges, size, type, random, part }: MultipartOptions) {
  const boundary = Array.from({ length: 3 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(36)
      .padStart(7, "0"),
  ).join("");
  const body: (Buffer | FileSlice)[] = [];
  let length = 0;
  const text = (words: string) => {
    const bytes = Buffer.from(words, "latin1");
    length += bytes.length;
    body.push(bytes);
  };
  for (const [index, range] of ranges.entries()) {
    const head = `--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: bytes ${range.start}-${range.end - 1}/${size}\r\n\r\n`;
    text(index === 0 ? head : `\r\n${head}`);
    length += range.end - range.start;
    body.push(part(range));
  }
  text(`\r\n--${boundary}--\r\n`);
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length, body };
}
