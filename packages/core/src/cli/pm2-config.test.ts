import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../model/random.ts";
import { parseClusterOptions } from "../options/cluster-settings.ts";
import { Pm2ConfigError } from "./pm2-app.ts";
import { importPm2Config, isPm2Config } from "./pm2-config.ts";

const api = {
  name: "api",
  script: "./dist/server.js",
  args: "--verbose  --level 3",
  instances: 4,
  exec_mode: "cluster",
  cwd: "/srv/api",
  env: { NODE_ENV: "development", PORT: 8_080, DEBUG: true },
  env_production: { NODE_ENV: "production" },
  max_memory_restart: "300M",
  kill_timeout: 5_000,
  listen_timeout: 8_000,
  max_restarts: 7,
  min_uptime: "60s",
  restart_delay: 250,
};

describe("an ecosystem file", () => {
  it("becomes options of ours", () => {
    expect(importPm2Config({ apps: [api] }, {})).toEqual({
      config: {
        entry: "./dist/server.js",
        name: "api",
        instances: 4,
        args: ["--verbose", "--level", "3"],
        port: 8_080,
        env: { NODE_ENV: "development", DEBUG: "true" },
        maxMemoryMb: 300,
        drainTimeoutMs: 5_000,
        startTimeoutMs: 8_000,
        stopSignal: "SIGINT",
        restart: { maxCrashes: 7, delayMs: 250, stableAfterMs: 60_000 },
      },
      cwd: "/srv/api",
      warnings: [],
    });
  });

  it("becomes options that the cluster takes", () => {
    const { entry: _entry, args: _args, ...options } = importPm2Config({ apps: [api] }, {}).config;
    const settings = parseClusterOptions(options, {
      env: {},
      parallelism: 2,
      random: systemRandom,
    });
    expect(settings).toMatchObject({ instances: 4, port: 8_080, maxMemoryMb: 300 });
  });

  it.each([
    [{ script: "app.py" }, ["python3", "app.py"]],
    [
      { script: "app.py", interpreter: "/srv/venv/bin/python", interpreter_args: "-u" },
      ["/srv/venv/bin/python", "-u", "app.py"],
    ],
    [{ script: "./server", interpreter: "none", args: ["--port", "{port}"] }, ["./server", "--port", "{port}"]],
    [{ script: "run.sh", exec_interpreter: "sh", args: "a b" }, ["sh", "run.sh", "a", "b"]],
  ])("whose app is of another language becomes a program: %j", (app, command) => {
    const { config, warnings } = importPm2Config({ apps: [{ ...app, wait_ready: true }] }, {});
    expect([config.exec, config.entry, config.args, config.waitReady, warnings]).toEqual([
      { command },
      undefined,
      undefined,
      undefined,
      [],
    ]);
  });

  it("whose app is run by a certain Node.js says that it is run by this one", () => {
    const { config, warnings } = importPm2Config({ script: "app.js", interpreter: "/opt/node22/bin/node" }, {});
    expect([config.entry, config.exec]).toEqual(["app.js", undefined]);
    expect(warnings.join()).toMatch(/interpreter has no counterpart: instances run in the Node\.js that runs `lb`/);
  });

  it("gives the variables of the environment that was asked for", () => {
    const production = importPm2Config({ apps: [api] }, { env: "production" });
    expect(production.config.env).toEqual({ NODE_ENV: "production", DEBUG: "true" });
    expect(() => importPm2Config({ apps: [api] }, { env: "staging" })).toThrow("no env_staging, but production");
  });

  it.each([
    [undefined, 1],
    ["max", "auto"],
    [0, "auto"],
    ["3", 3],
    [-1, Math.max(1, availableParallelism() - 1)],
  ])("instances: %j are %j", (instances, expected) => {
    expect(importPm2Config({ apps: [{ script: "a.js", instances }] }, {}).config.instances).toBe(expected);
  });

  it.each([
    ["1G", 1_024],
    ["512K", 16],
    [314_572_800, 300],
    ["1.5g", 1_536],
  ])("max_memory_restart: %j are %d MB", (size, expected) => {
    expect(importPm2Config({ apps: [{ script: "a.js", max_memory_restart: size }] }, {}).config.maxMemoryMb).toBe(
      expected,
    );
  });

  it("warns of what has no counterpart, and says what there is instead", () => {
    const { warnings } = importPm2Config(
      {
        apps: {
          script: "a.js",
          instances: 2,
          watch: ["src"],
          error_file: "err.log",
          env: { INSTANCE_ID: "9" },
          frobnicate: 1,
          pmx: false,
          ignore_watch: false,
        },
      },
      {},
    );
    expect(warnings).toEqual([
      "the variable INSTANCE_ID is not taken over: each instance gets its own",
      expect.stringMatching(/^watch .*lb reload/),
      expect.stringMatching(/^error_file .*lb logs/),
      "frobnicate has no counterpart",
      expect.stringMatching(/exec_mode "cluster"/),
    ]);
  });

  it("says who has done its work, and when all begin anew", () => {
    const optionsOf = (app: object) => importPm2Config({ apps: [{ script: "a.js", ...app }] }, {}).config;
    expect(optionsOf({ stop_exit_codes: [0, 3], cron_restart: "0 4 * * *" })).toMatchObject({
      stopExitCodes: [0, 3],
      restartCron: "0 4 * * *",
    });
    expect(optionsOf({ stop_exit_codes: 0 }).stopExitCodes).toEqual([0]);
    expect(optionsOf({ autorestart: false }).stopExitCodes).toHaveLength(256);
    expect(() => optionsOf({ stop_exit_codes: ["x"] })).toThrow("stop_exit_codes");
  });

  it("of several apps one can be chosen, or some", () => {
    const file = { apps: [api, { name: "worker", script: "worker.js" }, { name: "web", script: "web.js" }] };
    expect(importPm2Config(file, { only: "worker" }).config.entry).toBe("worker.js");
    expect(importPm2Config(file, { only: "web, worker" }).config.apps!.map(({ name }) => name)).toEqual([
      "worker",
      "web",
    ]);
    expect(() => importPm2Config(file, { only: "web,shop" })).toThrow("no app shop, but api, worker, web");
  });

  it("with several runs whole: each at the port of its own, and who has none gets no requests", () => {
    const worker = { name: "mail queue", script: "worker.js", node_args: "--enable-source-maps", time: true };
    const py = { name: "api", script: "app.py", env: { PORT: 8_081 } };
    const { config, warnings } = importPm2Config({ apps: [api, worker, py, { name: "app", script: "b.js" }] }, {});
    expect(config.log).toEqual({ timestamps: true });
    expect(config.apps).toMatchObject([
      { name: "api", entry: "./dist/server.js", cwd: "/srv/api", port: 8_080, instances: 4, stopSignal: "SIGINT" },
      { name: "mail-queue", entry: "worker.js", nodeArgs: ["--enable-source-maps"], kind: "worker" },
      { name: "api-2", exec: { command: ["python3", "app.py"] }, port: 8_081 },
      { name: "app-1", kind: "worker" },
    ]);
    expect(warnings).toEqual([
      "mail-queue: it is called mail-queue here",
      expect.stringMatching(/^mail-queue: without a PORT it gets no requests here/),
      "api-2: it is called api-2 here",
      "app-1: it is called app-1 here",
      expect.stringMatching(/^app-1: without a PORT/),
    ]);
  });

  it.each([
    [{ apps: [] }, "no apps"],
    [{ apps: [{ name: "x" }] }, "x has no script"],
    [{ apps: [{ script: "a.js", instances: "many" }] }, '"many"'],
    [{ apps: [{ script: "a.js", max_memory_restart: "lots" }] }, "no size"],
    [{ apps: [{ script: "a.js", min_uptime: "soon" }] }, "no time"],
  ])("%j is refused: %s", (file, why) => {
    expect(() => importPm2Config(file, {})).toThrow(Pm2ConfigError);
    expect(() => importPm2Config(file, {})).toThrow(why);
  });

  it("ends as PM2 ends it: with SIGINT, or by a message", () => {
    const stopSignal = (app: object) => importPm2Config({ apps: [{ script: "a.js", ...app }] }, {}).config.stopSignal;
    expect([stopSignal({}), stopSignal({ shutdown_with_message: true })]).toEqual(["SIGINT", "message"]);
  });

  it("waits for what the app says, and shows the time, where PM2 would", () => {
    const { config, warnings } = importPm2Config({ apps: [{ script: "a.js", wait_ready: true, time: true }] }, {});
    expect(config).toMatchObject({ waitReady: true, log: { timestamps: true } });
    expect(warnings).toEqual([]);
  });

  it.each([
    ["a list", [{ script: "a.js" }]],
    ["one app", { script: "a.js" }],
    ["under pm2", { pm2: [{ script: "a.js" }] }],
  ])("may be %s", (_, file) => {
    expect(isPm2Config(file)).toBe(true);
    expect(importPm2Config(file, {}).config.entry).toBe("a.js");
  });

  it("is known by its apps", () => {
    expect(isPm2Config({ apps: [] })).toBe(true);
    expect(isPm2Config({ entry: "app.js" })).toBe(false);
    expect(isPm2Config({ apps: [{ name: "api", entry: "api.js" }] })).toBe(false);
    expect(isPm2Config({ apps: [{ name: "api", script: "api.js" }] })).toBe(true);
  });
});
