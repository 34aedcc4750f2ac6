import { join } from "node:path";
import { policiesOf, serversOf } from "../../src/cli/export/policies.ts";
import { runningOf } from "../../src/cli/export/running.ts";
import type { ClusterOptions } from "../../src/options/cluster-options.ts";
import { parseClusterOptions } from "../../src/options/cluster-settings.ts";
import { seededRandom } from "./seeded-random.ts";

/** Each kind of policy at least once, for an app in a folder, where its certificate is, too. */
export const exportCases = (folder: string): Readonly<Record<string, ClusterOptions>> => ({
  "nothing set": {},
  "by cookie, checked": {
    affinity: "cookie",
    health: { active: { path: "/up" } },
    maxMemoryMb: 300,
    env: { GREETING: 'one $two "three"', FLAG: "on" },
    envFile: join(folder, ".env"),
    shutdownDelayMs: 2_000,
  },
  "by address": {
    affinity: "ip",
    strategy: "maglev",
    retry: false,
    limits: { maxBodyBytes: 1_000_000, maxConnections: 500 },
  },
  "by a field": { affinity: { header: "x-user" }, strategy: "round-robin", health: { passive: false } },
  "by a parameter": {
    affinity: { query: "user" },
    strategy: "power-of-two",
    stopExitCodes: [0, 3],
    stopSignal: "SIGINT",
  },
  sessions: { affinity: "socket.io", strategy: "random", autoscale: { min: 2, max: 6, target: { cpu: 0.7 } } },
  "by a function": { affinity: { key: () => "one" }, env: () => ({}), heartbeat: {} },
  "with TLS and a Unix socket": {
    https: { port: 8_443, certificates: [{ cert: join(folder, "cert.pem"), key: join(folder, "cert.pem.key") }] },
    listen: [{ port: 8_080, host: "::1" }, { path: join(folder, "shop.sock") }],
    timeouts: { tunnelMs: Number.POSITIVE_INFINITY },
  },
});

/** What the writers are given for one. */
export function exportSource(given: ClusterOptions) {
  const options: ClusterOptions = { name: "shop", instances: 3, port: 3_000, ...given };
  const settings = parseClusterOptions(options, { env: {}, parallelism: 4, random: seededRandom(1) });
  const entry = "/srv/shop/server.js";
  const kind = options.exec === undefined ? "app" : "program";
  const shared = { config: options, configFile: undefined };
  return {
    policies: policiesOf(settings, options, serversOf(settings)),
    running: runningOf({
      planned: kind === "app" ? { kind, entry, wanted: entry, args: ["--verbose"], ...shared } : { kind, ...shared },
      settings,
      options,
      cwd: "/srv/shop",
    }),
  };
}
