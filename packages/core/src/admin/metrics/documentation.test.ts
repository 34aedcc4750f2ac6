// What is made of the definitions is as they are.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { metricPages } from "../../../../../scripts/metric-pages.ts";

test.each(Object.entries(metricPages()).map(([path, text]) => [basename(path), path, text]))(
  "docs/%s has the metrics as they are",
  (_, path, text) => {
    expect(readFileSync(path, "utf8"), "run `pnpm docs:metrics`").toBe(text);
  },
);
