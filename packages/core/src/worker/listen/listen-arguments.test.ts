import { expect, it } from "vitest";
import { readListenCall } from "./listen-arguments.ts";

const callback = () => {};

it.each([
  [[3000], { kind: "port", port: 3000, host: undefined }],
  [["3000", callback], { kind: "port", port: 3000, host: undefined }],
  [[3000, "0.0.0.0", callback], { kind: "port", port: 3000, host: "0.0.0.0" }],
  [[3000, "::1", 511, callback], { kind: "port", port: 3000, host: "::1" }],
  [[3000, 511, callback], { kind: "port", port: 3000, host: undefined }],
  [[{ port: 3000, host: "localhost" }, callback], { kind: "port", port: 3000, host: "localhost" }],
  [[{ port: "3000", host: "" }], { kind: "port", port: 3000, host: undefined }],
  [[{ port: 3000, path: "/both" }], { kind: "port", port: 3000, host: undefined }],
  [[], { kind: "any-port", host: undefined }],
  [[callback], { kind: "any-port", host: undefined }],
  [[null], { kind: "any-port", host: undefined }],
  [[undefined, "127.0.0.1"], { kind: "any-port", host: "127.0.0.1" }],
  [[0, "0.0.0.0"], { kind: "any-port", host: "0.0.0.0" }],
  [["0"], { kind: "any-port", host: undefined }],
  [[{ port: 0 }], { kind: "any-port", host: undefined }],
  [[{ port: undefined }], { kind: "any-port", host: undefined }],
  [["/run/app.sock"], { kind: "other" }],
  [["\\\\.\\pipe\\app"], { kind: "other" }],
  [[{ path: "/run/app.sock" }], { kind: "other" }],
  [[{ fd: 3 }], { kind: "other" }],
  [[{ onconnection: null }], { kind: "other" }],
  [[{ _handle: {} }], { kind: "other" }],
  [[{}], { kind: "other" }],
  [[65_536], { kind: "other" }],
  [[-1], { kind: "other" }],
  [["12x"], { kind: "other" }],
])("listen(%j) asks for %j", (args, asked) => {
  expect(readListenCall(args).asked).toEqual(asked);
});

it("finds the callback and the signal", () => {
  const { signal } = new AbortController();
  expect(readListenCall([{ port: 1, signal }, callback])).toMatchObject({ callback, signal });
  expect(readListenCall([1, "::", callback]).callback).toBe(callback);
  expect(readListenCall([1]).callback).toBeUndefined();
});
