import { expect, it } from "vitest";
import type { ClusterOptions } from "./cluster-options.ts";
import { parseClusterOptions } from "./cluster-settings.ts";

const parsed = (py: object, rest: ClusterOptions = {}) =>
  parseClusterOptions(
    { ...rest, backends: { py } as ClusterOptions["backends"] },
    { env: {}, parallelism: 4, random: () => 0 },
  ).backends["py"]!;

it("is a program with what there is to say of it, or endpoints", () => {
  const exec = { command: "uvicorn app:app", env: {}, ready: {}, keepAlive: true, stop: "SIGTERM" };
  const program = { runs: { kind: "program", exec }, instances: 1, workerPort: 0, maxMemoryMb: undefined };
  expect(parsed({ exec: "uvicorn app:app" })).toMatchObject({ program, endpoints: undefined });
  const all = { instances: 3, workerPort: 9_000, maxMemoryMb: 500 };
  const given = { command: ["uvicorn"], stop: "SIGINT" };
  expect(parsed({ ...all, exec: given }).program).toMatchObject({ ...all, runs: { exec: given } });
  expect(parsed({ endpoints: ["http://127.0.0.1:9000"] }).program).toBeUndefined();
});

it.each([
  ["neither", {}, /^Option "backends\.py\.endpoints" is undefined: say where it is, or with exec which program/],
  [
    "both",
    { exec: "x", endpoints: ["http://127.0.0.1:1"] },
    /^Option "backends\.py\.exec" is a text: it is this program, or/,
  ],
  ["a program that is none", { exec: "" }, /^Option "backends\.py\.exec\.command" is ""/],
  ["no instances", { exec: "x", instances: 0 }, /^Option "backends\.py\.instances" is 0/],
  [
    "a log that nobody reads",
    { exec: { command: "x", ready: { log: "up" } } },
    /^Option "backends\.py\.exec\.ready\.log"/,
  ],
])("refuses %s", (_what, py, message) => {
  expect(() => parsed(py)).toThrow(message);
});
