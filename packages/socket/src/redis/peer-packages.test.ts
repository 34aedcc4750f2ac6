import { expect, test } from "vitest";
import { MissingPackageError } from "../errors.ts";
import { peerPackage } from "./peer-packages.ts";

test("a package that is not installed is named, with what to do", () => {
  const load = () => {
    throw Object.assign(new Error("Cannot find module"), { code: "MODULE_NOT_FOUND" });
  };
  const ask = () => peerPackage("ioredis", load);
  expect(ask).toThrow(MissingPackageError);
  expect(ask).toThrow("npm install ioredis");
});

test("what a package throws when it is loaded is not taken for its absence", () => {
  const broken = new Error("broken inside");
  const ask = () =>
    peerPackage("ioredis", () => {
      throw broken;
    });
  expect(ask).toThrow(broken);
});

test("what is installed is loaded", () => {
  expect(peerPackage("@socket.io/redis-adapter").createAdapter).toBeTypeOf("function");
});
