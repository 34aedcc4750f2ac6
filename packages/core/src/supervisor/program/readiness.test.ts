import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../../model/clock.ts";
import type { FirstProbe } from "../worker-contract.ts";
import { Readiness, type ReadinessOptions } from "./readiness.ts";

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

function readiness(port: number, options: Partial<ReadinessOptions> = {}) {
  const made = new Readiness({
    leader: process.pid,
    host: "127.0.0.1",
    port,
    uptimeMs: 0,
    log: undefined,
    checks: [],
    clock: systemClock,
    ...options,
  });
  onTestFinished(() => made.stop());
  let passed = false;
  void made.passed.then(() => {
    passed = true;
  });
  return { made, passed: () => passed };
}

it("passes when the port opens, and says until then that nothing listens", async () => {
  const { server, port } = await listening();
  await new Promise((resolve) => server.close(resolve));
  const { made } = readiness(port);
  expect(made.found).toBe(`nothing listens on 127.0.0.1:${port}`);
  server.listen(port, "127.0.0.1");
  await made.passed;
});

it.runIf(existsSync("/proc/self/net/tcp"))(
  "FAULTS 70: tells of a program that listens elsewhere where that is",
  async () => {
    const script =
      'require("node:net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port); })';
    const child = spawn(process.execPath, ["-e", script], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [port] = await once(child.stdout!, "data");
    const { made } = readiness(9, { leader: child.pid! });
    const place = `nothing answers on 127.0.0.1:9, and it listens on 127.0.0.1:${Number(port)}. Have it listen where it is told to`;
    await eventually(() => made.found.startsWith(place), { what: "where it listens" });
  },
);

it.each(["now serving", /^INFO: now \w+/])("waits for the line %s, and says so", async (log) => {
  const { port } = await listening();
  const { made, passed } = readiness(port, { log });
  await eventually(() => made.found.startsWith("it listens"), { what: "the port" });
  const shown = typeof log === "string" ? `"${log}"` : String(log);
  expect(made.found).toBe(`it listens, but has not written ${shown} yet`);
  made.line("now");
  await new Promise(setImmediate);
  expect(passed()).toBe(false);
  made.line("INFO: now serving");
  await made.passed;
});

it("asks one check after the other, says what the last one found, and stops it when it is stopped itself", async () => {
  const { port } = await listening();
  let pass = () => {};
  let stopped = 0;
  const check: FirstProbe = {
    found: "GET /up: status 503",
    passed: new Promise((resolve) => {
      pass = resolve;
    }),
    stop: () => stopped++,
  };
  const never: FirstProbe = { found: "no answer", passed: new Promise(() => {}), stop: () => stopped++ };
  const { made, passed } = readiness(port, { checks: [() => check, () => never] });
  await eventually(() => made.found === "it listens, but GET /up: status 503", { what: "the first check" });
  pass();
  await eventually(() => made.found === "it listens, but no answer", { what: "the second check" });
  made.stop();
  expect([stopped, passed()]).toEqual([1, false]);
});
