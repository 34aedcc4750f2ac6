import { expect, test } from "vitest";
import { takeServiceEnvironment } from "./service-environment.ts";

test.each([
  ["nothing is asked", {}, undefined],
  ["of a socket", { NOTIFY_SOCKET: "/run/systemd/notify" }, { socket: "/run/systemd/notify", watchdogMs: undefined }],
  [
    "of an abstract one, with a watchdog",
    { NOTIFY_SOCKET: "@a", WATCHDOG_USEC: "30000000" },
    { socket: "@a", watchdogMs: 30_000 },
  ],
  [
    "of a watchdog of this process",
    { NOTIFY_SOCKET: "/s", WATCHDOG_USEC: "5000", WATCHDOG_PID: "7" },
    { socket: "/s", watchdogMs: 5 },
  ],
  [
    "of a watchdog of another process",
    { NOTIFY_SOCKET: "/s", WATCHDOG_USEC: "5000", WATCHDOG_PID: "8" },
    { socket: "/s", watchdogMs: undefined },
  ],
  ["of what is no socket", { NOTIFY_SOCKET: "run/systemd" }, undefined],
  ["of what is no time", { NOTIFY_SOCKET: "/s", WATCHDOG_USEC: "soon" }, { socket: "/s", watchdogMs: undefined }],
])("is taken out of the environment: %s", (_, variables, found) => {
  const env: NodeJS.ProcessEnv = { HOME: "/", ...variables };
  expect(takeServiceEnvironment(env, 7)).toEqual(found);
  expect(env).toEqual({ HOME: "/" });
});
