import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { group, instance, instances } from "./instance-address.ts";

test("instances are named by number, by a backend, or by both", () => {
  expect(instances("2")).toEqual({ id: 2 });
  expect(instances("py:2")).toEqual({ backend: "py", id: 2 });
  expect(instances("py")).toEqual({ backend: "py" });
  expect(instance("app:12")).toEqual({ backend: "app", id: 12 });
  expect(group("py-3")).toBe("py-3");
});

test("what names none says what to give", () => {
  for (const text of ["", "0", "py:", "py:0", ":2", "py:2:3", "-1", "1.5", "é", "py 2", "12345"]) {
    expect(() => instances(text), text).toThrow(InvalidArgumentError);
  }
  expect(() => instance("py")).toThrow("Say which one: py:1");
  expect(() => group("py:1")).toThrow(InvalidArgumentError);
  expect(() => group("3")).toThrow(InvalidArgumentError);
});
