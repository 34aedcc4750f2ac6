import { expect, it } from "vitest";
import type { ClusterOptions } from "./cluster-options.ts";
import { parseClusterOptions } from "./cluster-settings.ts";

const surroundings = { env: {}, parallelism: 4, random: () => 0 };
const parsed = (options: ClusterOptions) => parseClusterOptions(options, surroundings);
const written = { output: () => {} };

it("takes a command, its words, or all there is to say", () => {
  const rest = { env: {}, ready: {}, stop: "SIGTERM", keepAlive: true };
  expect(parsed({ exec: "uvicorn app:app" }).exec).toEqual({ command: "uvicorn app:app", ...rest });
  expect(parsed({ exec: ["uvicorn", "app:app"] }).exec).toEqual({ command: ["uvicorn", "app:app"], ...rest });
  const whole = {
    command: "puma",
    cwd: "/srv",
    env: { RACK_ENV: "production" },
    ready: { path: "/up", log: /Listening/ },
    stop: "SIGINT",
    keepAlive: false,
  } as const;
  expect(parsed({ ...written, exec: whole }).exec).toEqual(whole);
  expect(parsed({}).exec).toBeUndefined();
});

it("has it end by the signal that the cluster's apps would, unless it is told another", () => {
  expect(parsed({ exec: "puma", stopSignal: "SIGQUIT" }).exec?.stop).toBe("SIGQUIT");
  expect(parsed({ exec: { command: "puma", stop: "SIGINT" }, stopSignal: "message" }).exec?.stop).toBe("SIGINT");
});

it("scales by processors where nothing else is said", () => {
  expect(parsed({ exec: "puma", autoscale: {} }).autoscale?.target).toEqual({ metric: "cpu", value: 0.6 });
  const target = { inFlight: 10 };
  expect(parsed({ exec: "puma", autoscale: { target } }).autoscale?.target).toEqual({ metric: "inFlight", value: 10 });
});

it.each<[string, ClusterOptions, RegExp]>([
  ["a command of nothing", { exec: " " }, /^Option "exec\.command" is " ": give a command, e\.g\. "uvicorn/],
  ["no command", { exec: {} as never }, /^Option "exec\.command" is undefined: it is required/],
  ["an empty list", { exec: [] }, /^Option "exec\.command" is an array: give a command/],
  ["words that are none", { exec: ["puma", 1] as never }, /^Option "exec\.command/],
  ["a number", { exec: 7 as never }, /^Option "exec" is 7: give a command/],
  ["a misspelt part", { exec: { command: "puma", redy: {} } as never }, /did you mean "ready"/],
  ["a path that is none", { exec: { command: "puma", ready: { path: "up" } } }, /begins with "\/"/],
  ["hand-off", { exec: "puma", mode: "handoff" }, /^Option "mode" is "handoff": only an app of Node\.js/],
  ["a message it cannot send", { exec: "puma", waitReady: true }, /^Option "waitReady" is true/],
  ["one port for all", { exec: "puma", portEnv: "public" }, /^Option "portEnv" is "public"/],
  ["an end by message", { exec: "puma", stopSignal: "message" }, /^Option "stopSignal" is "message"/],
  [
    "an event loop it need not have",
    { exec: "puma", autoscale: { target: { eventLoopUtilization: 0.5 } } },
    /^Option "autoscale\.target"/,
  ],
  ["a log that nobody reads", { exec: { command: "puma", ready: { log: "up" } } }, /^Option "exec\.ready\.log"/],
])("refuses %s", (_name, options, message) => {
  expect(() => parsed(options)).toThrow(message);
});
