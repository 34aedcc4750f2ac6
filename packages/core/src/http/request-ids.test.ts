import { expect, test } from "vitest";
import { RequestIds } from "./request-ids.ts";

test("an id is taken as it was given, if a log can hold it, and else made anew each time", () => {
  const ids = new RequestIds({ header: "X-Request-Id", response: false });
  expect(ids.of("0af7651916cd43dd8448eb211c80319c")).toBe("0af7651916cd43dd8448eb211c80319c");
  const made = [undefined, "", 'a"b', "a b", "ä", "x".repeat(129)].map((given) => ids.of(given));
  expect(new Set(made).size).toBe(6);
  for (const id of made) expect(id).toMatch(/^[\w-]{8}-\w+$/);
  expect(new RequestIds({ header: "X-Request-Id", response: false }).of(undefined)).not.toBe(made[0]);
});
