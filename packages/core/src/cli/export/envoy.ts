import type { Policies } from "./policies.ts";
import { remarks, secondsOnly } from "./words.ts";
import { type Yaml, yaml } from "./yaml.ts";

type Part = { readonly [key: string]: Yaml | undefined };

/** The same policies as a static configuration of Envoy, 1.24 or later. */
export function envoy(policies: Policies): string {
  const { listeners, certificates, maxConnections } = policies;
  const encrypted = listeners.some((listener) => listener.encrypted);
  const notes = [
    ...balancing(policies).notes,
    ...(affinityOf(policies).notes ?? []),
    ...(policies.attempts > 1 ? ["retries: a POST is not repeated, even where nothing of it was sent"] : []),
    "queue: who finds nobody to serve him is answered 503 at once",
    ...(Number.isFinite(policies.maxBodyBytes)
      ? ["limits.maxBodyBytes: the buffer filter, which keeps all of a body first"]
      : []),
    ...(encrypted && certificates.length === 0 ? ["https: name the certificate (tls_certificates)"] : []),
    ...policies.others,
  ];
  const bootstrap: Part = {
    static_resources: {
      listeners: listeners.map((listener, at) => listenerOf(listener, at, policies)),
      clusters: [clusterOf(policies)],
    },
    ...(maxConnections !== undefined &&
      Number.isFinite(maxConnections) && {
        overload_manager: {
          resource_monitors: [
            extension("envoy.resource_monitors.global_downstream_max_connections", {
              "@type": type("extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"),
              max_active_downstream_connections: maxConnections,
            }),
          ],
        },
      }),
  };
  return remarks("#", notes) + yaml(bootstrap);
}

const type = (name: string) => `type.googleapis.com/envoy.${name}`;
const extension = (name: string, config: Part): Part => ({ name, typed_config: config });

function listenerOf(listener: Policies["listeners"][number], at: number, policies: Policies): Part {
  const { name, timeouts, certificates } = policies;
  const manager: Part = {
    "@type": type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
    stat_prefix: name,
    use_remote_address: true,
    common_http_protocol_options: { idle_timeout: secondsOnly(timeouts.keepAliveMs) },
    request_headers_timeout: secondsOnly(timeouts.headersMs),
    stream_idle_timeout: secondsOnly(timeouts.responseIdleMs),
    upgrade_configs: [{ upgrade_type: "websocket" }],
    route_config: {
      name,
      virtual_hosts: [{ name, domains: ["*"], routes: [webSockets(policies), requests(policies)] }],
    },
    http_filters: [
      ...(affinityOf(policies).filters ?? []),
      extension("envoy.filters.http.router", { "@type": type("extensions.filters.http.router.v3.Router") }),
    ],
  };
  const tls: Part = {
    "@type": type("extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
    common_tls_context: {
      alpn_protocols: ["h2", "http/1.1"],
      tls_certificates: certificates.map(({ cert, key }) => ({
        certificate_chain: { filename: cert },
        private_key: { filename: key },
      })),
    },
  };
  return {
    name: `${name}-${at + 1}`,
    address:
      listener.kind === "unix"
        ? { pipe: { path: listener.path } }
        : { socket_address: { address: listener.host, port_value: listener.port } },
    filter_chains: [
      {
        ...(listener.encrypted && { transport_socket: extension("envoy.transport_sockets.tls", tls) }),
        filters: [extension("envoy.filters.network.http_connection_manager", manager)],
      },
    ],
  };
}

/** They are silent for longer than a response may be, and are not tried again. */
function webSockets(policies: Policies): Part {
  const { name, timeouts } = policies;
  return {
    match: { prefix: "/", headers: [{ name: "upgrade", string_match: { exact: "websocket", ignore_case: true } }] },
    route: {
      cluster: name,
      timeout: "0s",
      idle_timeout: secondsOnly(timeouts.tunnelMs),
      hash_policy: affinityOf(policies).hash,
    },
  };
}

function requests(policies: Policies): Part {
  const { name, timeouts, attempts } = policies;
  return {
    match: { prefix: "/" },
    route: {
      cluster: name,
      // That would be for the whole of a response, however long it is being read.
      timeout: "0s",
      idle_timeout: secondsOnly(timeouts.responseMs),
      hash_policy: affinityOf(policies).hash,
      ...(attempts > 1 && {
        retry_policy: {
          retry_on: "connect-failure,refused-stream,reset",
          num_retries: attempts - 1,
          retriable_request_headers: [
            { name: ":method", string_match: { safe_regex: { regex: "GET|HEAD|OPTIONS|TRACE|PUT|DELETE" } } },
          ],
          retry_host_predicate: [
            extension("envoy.retry_host_predicates.previous_hosts", {
              "@type": type("extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
            }),
          ],
          host_selection_retry_max_attempts: 3,
        },
      }),
    },
  };
}

function clusterOf(policies: Policies): Part {
  const { name, servers, active, passive } = policies;
  const { choice } = balancing(policies);
  return {
    name,
    type: "STATIC",
    connect_timeout: "2s",
    ...choice,
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: servers.map(({ host, port }) => ({
            endpoint: { address: { socket_address: { address: host, port_value: port } } },
          })),
        },
      ],
    },
    ...(active !== undefined && {
      health_checks: [
        {
          timeout: secondsOnly(active.timeoutMs),
          interval: secondsOnly(active.intervalMs),
          unhealthy_threshold: active.unhealthyAfter,
          healthy_threshold: active.healthyAfter,
          http_health_check: { path: active.path, host: "localhost", expected_statuses: [{ start: 200, end: 400 }] },
        },
      ],
    }),
    ...(passive !== undefined && {
      outlier_detection: {
        split_external_local_origin_errors: true,
        // Not by what the app answers: by connections that fail.
        consecutive_5xx: 0,
        enforcing_consecutive_5xx: 0,
        enforcing_consecutive_gateway_failure: 0,
        consecutive_local_origin_failure: passive.failures,
        enforcing_consecutive_local_origin_failure: 100,
        enforcing_success_rate: 0,
        enforcing_local_origin_success_rate: 0,
        base_ejection_time: secondsOnly(passive.outMs),
        max_ejection_percent: 50,
      },
    }),
  };
}

function balancing({ strategy, affinity, servers }: Policies): {
  readonly choice: Part;
  readonly notes: readonly string[];
} {
  const least = (choices: number): Part => ({
    lb_policy: "LEAST_REQUEST",
    least_request_lb_config: { choice_count: Math.max(2, choices) },
  });
  const hashes = affinity?.kind === "ip" || affinity?.kind === "header" || affinity?.kind === "query";
  if (hashes) return { choice: { lb_policy: strategy === "maglev" ? "MAGLEV" : "RING_HASH" }, notes: [] };
  switch (strategy) {
    case "round-robin":
    case "weighted-round-robin":
      return { choice: { lb_policy: "ROUND_ROBIN" }, notes: [] };
    case "random":
      return { choice: { lb_policy: "RANDOM" }, notes: [] };
    case "power-of-two":
      return { choice: least(2), notes: [] };
    case "least-connections":
      return { choice: least(servers.length), notes: [] };
    default:
      return { choice: least(servers.length), notes: [`strategy ${strategy}: LEAST_REQUEST is nearest`] };
  }
}

interface Affinity {
  readonly hash?: readonly Part[];
  readonly filters?: readonly Part[];
  readonly notes?: readonly string[];
}

function affinityOf({ affinity }: Policies): Affinity {
  switch (affinity?.kind) {
    case "ip":
      return { hash: [{ connection_properties: { source_ip: true } }] };
    case "header":
      return { hash: [{ header: { header_name: affinity.name } }] };
    case "query":
      return { hash: [{ query_parameter: { name: affinity.name } }] };
    case "cookie":
      return {
        filters: [cookieOf(affinity.name, affinity.ttlMs)],
        notes: ["affinity: clients that hold a cookie of lb get one of Envoy's once"],
      };
    case "socket.io":
      return {
        filters: [cookieOf("io", 0)],
        notes: ["affinity by socket.io: a cookie stands in, which clients of Engine.IO have to send"],
      };
    case "key":
      return { notes: ["affinity by a function: there is none here"] };
    case undefined:
      return {};
  }
}

/** It holds the endpoint's address, so that it is kept whoever else comes and goes. */
function cookieOf(name: string, ttlMs: number): Part {
  const state = extension("envoy.http.stateful_session.cookie", {
    "@type": type("extensions.http.stateful_session.cookie.v3.CookieBasedSessionState"),
    cookie: { name, path: "/", ...(ttlMs > 0 && { ttl: secondsOnly(ttlMs) }) },
  });
  return extension("envoy.filters.http.stateful_session", {
    "@type": type("extensions.filters.http.stateful_session.v3.StatefulSession"),
    session_state: state,
  });
}
