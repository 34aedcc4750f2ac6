import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { systemRandom } from "../model/random.ts";
import { parseClusterOptions } from "../options/cluster-settings.ts";
import { addStartFlags, flagOf, startFlags, withFlags } from "./start-flags.ts";

function parsed(...args: string[]): Record<string, unknown> {
  const command = addStartFlags(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return command.parse(args, { from: "user" }).opts();
}
const options = (...args: string[]) => withFlags({}, parsed(...args));
const surroundings = { env: { HOME: "/home" }, parallelism: 2, random: systemRandom };

/** For each flag that takes a value, one that it can have. */
const samples: Readonly<Record<string, string>> = {
  "--instances": "3",
  "--port": "8080",
  "--host": "0.0.0.0",
  "--listen": "8080,[::1]:80,unix:/run/app.sock,fd:3",
  "--name": "shop",
  "--https": "a.example,b.example",
  "--https-port": "8443",
  "--http": "serve",
  "--email": "x@a.example",
  "--acme": "https://ca.example/directory",
  "--worker-port": "4000",
  "--mode": "handoff",
  "--strategy": "maglev",
  "--affinity": "cookie,header:x-user",
  "--retry": "off",
  "--max-waiting": "50",
  "--max-wait": "10s",
  "--health-path": "/healthz",
  "--health-endpoints": "on",
  "--max-memory": "1G",
  "--start-timeout": "5s",
  "--start-parallelism": "first",
  "--drain-timeout": "1m",
  "--shutdown-delay": "500ms",
  "--max-crashes": "9",
  "--restart-delay": "250",
  "--allowed-host": "a.example,b.example",
  "--allowed-origin": "https://a.example",
  "--trusted-proxy": "loopback,10.0.0.0/8",
  "--deny": "203.0.113.0/24,2001:db8::1",
  "--max-body": "10M",
  "--rate-limit": "10r/s,burst=20",
  "--max-in-flight": "adaptive",
  "--max-connections": "500",
  "--max-connections-per-address": "50",
  "--response-timeout": "30s",
  "--keep-alive-timeout": "5s",
  "--log": "json",
  "--access-log": "access.log",
  "--traces": "http://127.0.0.1:4318",
  "--trace-sample": "0.01",
  "--access-log-format": "combined",
  "--stop-signal": "SIGINT",
  "--restart-cron": "0 4 * * *",
  "--worker-host": "127.0.0.1",
  "--port-env": "own",
  "--env-file": ".env,.env.production",
  "--exec": "uvicorn app:app --port {port}",
  "--cwd": "api",
  "--ready": "/up",
};

describe("the flags of lb start", () => {
  test.each(startFlags.map((one) => [one.flag, one] as const))("%s is an option of cluster()", (flag, { option }) => {
    const long = /--[\w-]+/.exec(flag)![0];
    // Some need another one beside them.
    const needed = ["--https-port", "--email", "--acme"].includes(long)
      ? ["--https", "a.example"]
      : ["--cwd", "--ready"].includes(long)
        ? ["--exec", "puma"]
        : [];
    const given = options(
      ...needed,
      long,
      ...(flag.includes("<") ? [samples[long] ?? expect.fail(`a sample for ${long}`)] : []),
    );
    expect(Object.keys(given)).toEqual([option.split(".")[0]]);
    if (long === "--max-body" || long === "--max-connections-per-address") return;
    const beside = long === "--proxy-protocol" ? { trustedProxies: ["loopback"] } : {};
    expect(() => parseClusterOptions({ ...given, ...beside }, surroundings)).not.toThrow();
  });

  test("say what they mean", () => {
    expect(
      options("--listen", "80,0.0.0.0:81", "--listen", "[::1]:82", "--listen", "unix:/a:b,fd:3,fd:web").listen,
    ).toEqual([
      { port: 80 },
      { host: "0.0.0.0", port: 81 },
      { host: "::1", port: 82 },
      { path: "/a:b" },
      { fd: 3 },
      { fd: "web" },
    ]);
    expect(options("-i", "auto", "--max-memory", "1G", "--drain-timeout", "1.5m", "--max-body", "64K")).toEqual({
      instances: "auto",
      maxMemoryMb: 1_024,
      drainTimeoutMs: 90_000,
      limits: { maxBodyBytes: 65_536 },
    });
    expect(options("--retry", "5", "--affinity", "query:room", "--no-heartbeat", "--health-endpoints", "/up")).toEqual({
      retry: { attempts: 5 },
      affinity: { query: "room" },
      heartbeat: false,
      healthEndpoints: { path: "/up" },
    });
    expect(options("--allowed-host", "a.example,b.example", "--allowed-host", "c.example").allowedHosts).toEqual([
      "a.example",
      "b.example",
      "c.example",
    ]);
  });

  test("change of a configuration what they name, and nothing else", () => {
    const config = { instances: 2, limits: { maxHeadBytes: 4_096, maxBodyBytes: 1 }, retry: false } as const;
    expect(withFlags(config, parsed("--max-body", "2", "--retry", "4"))).toEqual({
      instances: 2,
      limits: { maxHeadBytes: 4_096, maxBodyBytes: 2 },
      retry: { attempts: 4 },
    });
    expect(withFlags(config, parsed())).toEqual(config);
  });

  test.each([
    [["-i", "four"], /--instances.*four.*"auto"/],
    [["-i", "0"], /--instances.*'0'.*from 1 to 1024/],
    [["-p", "99999"], /--port.*99999.*from 0 to 65535/],
    [["-p", "3e3"], /--port.*3e3/],
    [["--strategy", "best"], /--strategy.*best.*least-connections/],
    [["--max-memory", "lots"], /--max-memory.*lots.*512M/],
    [["--start-timeout", "soon"], /--start-timeout.*soon.*10s/],
    [["--affinity", "header:"], /--affinity.*header:.*header:<name>/],
    [["--allowed-host", "a,,b"], /--allowed-host.*a,,b.*commas/],
    [["--instancs", "4"], /--instancs.*\n.*--instances/],
  ])("%j: names the flag, the value and what to give", (args, message) => {
    expect(() => parsed(...args)).toThrow(message);
  });

  test("an option that cannot be used is traced to its flag", () => {
    const flags = parsed("--max-body", "5", "--host", "a/b");
    expect(flagOf("host", flags)).toBe("--host");
    expect(flagOf("limits.maxBodyBytes", flags)).toBe("--max-body");
    expect(flagOf("heartbeat.intervalMs", flags)).toBeUndefined();
    expect(flagOf("instances", flags)).toBeUndefined();
  });
});

test.each([
  ["10r/s", { points: 10, windowMs: 1_000 }],
  ["0.5r/s,burst=0", { points: 0.5, windowMs: 1_000, burst: 0 }],
  ["300r/m, burst=20, delay", { points: 300, windowMs: 60_000, burst: 20, delay: true }],
  ["300r/m,delay=8,key=header:x-api-key", { points: 300, windowMs: 60_000, delay: 8, key: { header: "x-api-key" } }],
  [
    "9r/h,nodelay,status=503,key=cookie:sid,dry-run",
    { points: 9, windowMs: 3_600_000, delay: false, statusCode: 503, key: { cookie: "sid" }, dryRun: true },
  ],
  ["off", false],
])("--rate-limit %s", (value, rateLimit) => {
  expect(options("--rate-limit", value)).toEqual({ rateLimit });
  expect(() => parseClusterOptions(options("--rate-limit", value), surroundings)).not.toThrow();
});

test.each([
  "10",
  "10/s",
  "r/s",
  "10r/d",
  "10r/s,burst",
  "10r/s,burst=-1",
  "10r/s,delay=x",
  "10r/s,key=address",
  "10r/s,",
])("--rate-limit %s is refused", (value) => {
  expect(() => parsed("--rate-limit", value)).toThrow(/as in 10r\/s/);
});

test("what a flag reads and an option does not take is refused there, by its name", () => {
  expect(() => parseClusterOptions(options("--rate-limit", "0r/s"), surroundings)).toThrow(
    expect.objectContaining({ option: "rateLimit.points" }),
  );
  expect(() => parsed("--max-in-flight", "some")).toThrow(/or "adaptive"/);
  expect(options("--max-in-flight", "20")).toEqual({ limits: { maxRequestsInFlight: 20 } });
});
