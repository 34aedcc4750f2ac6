import { expect, test } from "vitest";
import type { OutputLine } from "../model/output-line.ts";
import { isOf, type OutputOptions } from "./output-options.ts";

const line = (name: string): OutputLine => {
  const [id, backend] = name.split(":").reverse();
  return { pid: 1, stream: "stdout", text: "", instance: Number(id), ...(backend !== undefined && { backend }) };
};
const lines = ["1", "2", "py:1", "py:2", "ruby:1"];

test.each<[Pick<OutputOptions, "backend" | "instance">, readonly string[]]>([
  [{}, lines],
  [{ instance: 1 }, ["1"]],
  [{ backend: "app" }, ["1", "2"]],
  [{ backend: "app", instance: 2 }, ["2"]],
  [{ backend: "py" }, ["py:1", "py:2"]],
  [{ backend: "py", instance: 1 }, ["py:1"]],
  [{ backend: "go" }, []],
])("%j means %j", (whose, meant) => {
  expect(lines.filter((name) => isOf(line(name), whose))).toEqual(meant);
});
