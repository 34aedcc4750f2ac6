import type { ClusterOptions } from "./cluster-options.ts";

/**
 * How a running cluster comes to have another value of an option:
 * - `in place`: by `lb config apply`, at once; no process is replaced, and no connection is lost;
 * - `reload`: its instances are started anew for it;
 * - `upgrade`: its primary is.
 */
export type ChangedBy = "in place" | "reload" | "upgrade";

/** In hand-off mode the instances see to much themselves that the front sees to in proxy mode. */
export interface ByMode {
  readonly proxy: ChangedBy;
  readonly handoff: ChangedBy;
}

/** Of an option, with all that it consists of; or of each of its parts. */
export type ChangeRule = ChangedBy | ByMode | { readonly parts: Readonly<Record<string, ChangeRule>> };

const atFront: ByMode = { proxy: "in place", handoff: "upgrade" };

/** What is run here is started with these. */
const program = {
  exec: "upgrade",
  entry: "upgrade",
  args: "upgrade",
  nodeArgs: "upgrade",
  cwd: "upgrade",
  env: "upgrade",
  kind: "upgrade",
  minUptimeMs: "upgrade",
  instances: "upgrade",
  workerPort: "upgrade",
  maxMemoryMb: "upgrade",
  autoscale: "upgrade",
  startTimeoutMs: "upgrade",
  waitReady: "upgrade",
  drainTimeoutMs: "upgrade",
  stopSignal: "upgrade",
  restart: "upgrade",
  stopExitCodes: "upgrade",
  restartCron: "upgrade",
} as const;

/** Health, but for the checks that are sent: who sends them is made once. */
const health = {
  parts: {
    passive: "in place",
    outlier: "in place",
    active: "upgrade",
    maxEjectedShare: "in place",
    panicThreshold: "in place",
    slowStartMs: "in place",
  },
} as const;

/** Requests to a backend are spread by these; sessions live by `affinity`. */
const balancing = {
  strategy: "in place",
  affinity: "upgrade",
  queue: "in place",
  maxRequestsInFlight: "in place",
  retryBudget: "in place",
} as const;

/** All options of a cluster, and nowhere else is it said; a test compares it with what there is. */
export const changeRules: Readonly<Record<keyof ClusterOptions, ChangeRule>> = {
  name: "upgrade",
  instances: "upgrade",
  autoscale: "upgrade",
  port: "upgrade",
  host: "upgrade",
  listen: "upgrade",
  workerPort: "upgrade",
  workerHost: "upgrade",
  portEnv: "upgrade",
  mode: "upgrade",
  exec: "upgrade",
  routes: "in place",
  backends: {
    parts: {
      endpoints: "in place",
      ...program,
      ...balancing,
      health: { parts: { ...health.parts, active: "in place" } },
      host: "in place",
      tls: "in place",
      pool: "in place",
      proxyProtocol: "in place",
      lookup: "in place",
    },
  },
  apps: { parts: { name: "upgrade", port: "upgrade", routes: "in place", ...program, ...balancing, health } },
  strategy: "in place",
  affinity: "upgrade",
  socketIo: "upgrade",
  rebalance: "upgrade",
  queue: "in place",
  retryBudget: "in place",
  health,
  healthEndpoints: "upgrade",
  startTimeoutMs: "upgrade",
  waitReady: "upgrade",
  startParallelism: "upgrade",
  drainTimeoutMs: "upgrade",
  shutdownDelayMs: "upgrade",
  stopSignal: "upgrade",
  restart: "upgrade",
  stopExitCodes: "upgrade",
  restartCron: "upgrade",
  heartbeat: "upgrade",
  maxMemoryMb: "upgrade",
  env: "reload",
  envFile: "reload",
  output: "upgrade",
  log: "in place",
  accessLog: "upgrade",
  tracing: "upgrade",
  alerts: "upgrade",
  control: "upgrade",
  admin: "upgrade",
  signals: "upgrade",
  backendHeader: "upgrade",
  trustedProxies: "upgrade",
  proxyProtocol: "upgrade",
  denyList: "in place",
  allowedHosts: atFront,
  allowedOrigins: atFront,
  https: {
    parts: {
      port: "upgrade",
      host: "upgrade",
      certificates: "in place",
      acme: "upgrade",
      localhost: "upgrade",
      clientCertificates: "upgrade",
      profile: "upgrade",
      sessionMs: "upgrade",
      strictSni: "upgrade",
      handshakeTimeoutMs: "upgrade",
      maxHandshakes: "upgrade",
      handshakeRate: "upgrade",
    },
  },
  http: atFront,
  securityHeaders: atFront,
  headers: atFront,
  requestId: "upgrade",
  serverTiming: atFront,
  http2: "upgrade",
  timeouts: atFront,
  limits: atFront,
  rateLimit: atFront,
  retry: atFront,
  quarantine: "upgrade",
};
