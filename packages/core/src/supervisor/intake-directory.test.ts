import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { maxSocketPathBytes } from "../model/socket-path.ts";
import { createIntakeDirectory, type IntakeDirectory } from "./intake-directory.ts";

const made: IntakeDirectory[] = [];
const create = (base?: string) => {
  const directory = createIntakeDirectory(base);
  made.push(directory);
  return directory;
};

afterEach(() => {
  for (const directory of made.splice(0)) directory.remove();
});

describe("intake directory", () => {
  it("is a new one each time, and its owner's alone", () => {
    const [one, other] = [create(), create()];
    expect(one.pathFor("1.1")).not.toBe(other.pathFor("1.1"));
    expect(statSync(dirname(one.pathFor("1.1"))).mode & 0o777).toBe(0o700);
  });

  it("removes what one worker left, and in the end everything", () => {
    const directory = create();
    for (const id of ["1.1", "2.1"]) writeFileSync(directory.pathFor(id), "");
    directory.removePath("1.1");
    directory.removePath("1.1");
    expect(existsSync(directory.pathFor("1.1"))).toBe(false);
    expect(existsSync(directory.pathFor("2.1"))).toBe(true);
    directory.remove();
    directory.remove();
    expect(existsSync(dirname(directory.pathFor("2.1")))).toBe(false);
  });

  it("says where it could not be made", () => {
    const base = join(tmpdir(), `lb-test-none-${process.pid}`);
    expect(() => create(base)).toThrow(
      expect.objectContaining({ code: "LB_INTAKE_DIRECTORY", message: expect.stringContaining(base) }),
    );
  });

  it("keeps its paths within what a Unix socket address can hold, whatever the temporary directory", () => {
    const deep = join(tmpdir(), `lb-test-${process.pid}-${"d".repeat(80)}`);
    mkdirSync(deep, { recursive: true });
    made.push({ parent: deep, pathFor: () => deep, hubPath: deep, removePath: () => {}, remove: () => {} });
    const path = create(deep).pathFor("10000.1000000000");
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(maxSocketPathBytes);
    expect(existsSync(dirname(path))).toBe(true);
  });
});
