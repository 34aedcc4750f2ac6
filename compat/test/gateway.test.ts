// What the public tests of other proxies say, said of @lb/express; `pnpm compat:gateway` makes the table of it.
import { describe, expect, test } from "vitest";
import { failureOf, suites } from "../gateway/suites.ts";

describe.each(suites)("$project", ({ cases }) => {
  test.concurrent.for(cases)("$file: $name", async (one) => {
    const failure = await failureOf(one);
    if (one.differs === undefined) expect(failure).toBeUndefined();
    else expect(failure, "it passes, and is said to differ").toBeDefined();
  });
});
