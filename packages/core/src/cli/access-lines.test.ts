import { expect, test } from "vitest";
import { statusRange, wantedCombined, wantedJson } from "./access-lines.ts";

const lines = [
  '{"status":200,"route":"/api","instance":1,"answeredBy":"app"}',
  '{"status":404,"instance":2}',
  '{"status":502,"route":"/py","backend":"py","endpoint":"http://127.0.0.1:9"}',
  '{"end":"client-left"}',
  "half a li",
];

test.each([
  [{}, [0, 1, 2, 3]],
  [{ status: statusRange("404") }, [1]],
  [{ status: statusRange("5xx") }, [2]],
  [{ status: statusRange("200-404") }, [0, 1]],
  [{ route: "/api" }, [0]],
  [{ of: { id: 2 } }, [1]],
  [{ of: { backend: "py" } }, [2]],
  [{ of: { backend: "app" }, status: statusRange("2XX") }, [0]],
] as const)("of lines of JSON, %o", (wanted, numbers) => {
  const isWanted = wantedJson(wanted);
  expect(lines.flatMap((line, at) => (isWanted(line) ? [at] : []))).toEqual(numbers);
});

test("of lines as nginx writes them, by their status", () => {
  const line = '::1 - - [07/Nov/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 500 "http://x/ 502 " "curl/8"';
  const isWanted = (status: string) => wantedCombined({ status: statusRange(status) })(line);
  expect([isWanted("2xx"), isWanted("500"), isWanted("502")]).toEqual([true, false, false]);
  expect(wantedCombined({})(line)).toBe(true);
});

test.each(["20", "600", "2x", "404-", "", "200,404"])("%j is no status", (text) => {
  expect(() => statusRange(text)).toThrow("Give a status");
});
