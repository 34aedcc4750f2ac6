import type { Policies } from "./policies.ts";
import { remarks, seconds } from "./words.ts";

/** What HAProxy has for it; the hashing strategies only choose by what an affinity names. */
const algorithms: Readonly<Record<string, string>> = {
  "round-robin": "roundrobin",
  "weighted-round-robin": "roundrobin",
  "least-connections": "leastconn",
  "power-of-two": "random(2)",
  random: "random(1)",
};

/** The same policies as a configuration of HAProxy, 2.4 or later. */
export function haproxy(policies: Policies): string {
  return written(policies, { resolvers: "", ofServers: "" });
}

/** The same where names are Docker's: a container may come back at another address, or not be there yet. */
export function haproxyInContainers(policies: Policies): string {
  return written(policies, {
    resolvers: "resolvers docker\n    nameserver dns 127.0.0.11:53\n    hold valid 1s\n\n",
    ofServers: " resolvers docker init-addr libc,none",
  });
}

function written(policies: Policies, { resolvers, ofServers }: Record<"resolvers" | "ofServers", string>): string {
  const { name, listeners, servers, strategy, attempts, timeouts, maxBodyBytes, maxConnections } = policies;
  const { headersMs, keepAliveMs, writeIdleMs, responseMs, tunnelMs } = timeouts;
  const limit = maxConnections !== undefined && Number.isFinite(maxConnections) ? maxConnections : undefined;
  const encrypted = listeners.some((listener) => listener.encrypted);
  const algorithm = algorithms[strategy];
  const notes = [
    ...(algorithm === undefined && hashBy(policies) === undefined
      ? [`strategy ${strategy}: leastconn is nearest`]
      : []),
    ...(affinityWords(policies) ?? []),
    ...(encrypted
      ? ["certificates: HAProxy wants certificate and key in one PEM file, or key beside it as <file>.key"]
      : []),
    ...policies.others,
  ];
  return `${remarks("#", notes)}${limit === undefined ? "" : `global\n    maxconn ${limit}\n\n`}defaults
    mode http
${limit === undefined ? "" : `    maxconn ${limit}\n`}    timeout connect 2s
    timeout http-request ${seconds(headersMs)}
    timeout http-keep-alive ${seconds(keepAliveMs)}
    timeout client ${seconds(Math.max(writeIdleMs, timeouts.bodyIdleMs))}
    timeout server ${seconds(responseMs)}
    # WebSockets
    timeout tunnel ${seconds(tunnelMs)}
    timeout queue ${seconds(policies.queueMs)}
    retries ${attempts - 1}
    option redispatch 1
    retry-on conn-failure empty-response

${resolvers}frontend ${name}
${listeners.map(({ address, encrypted: tls }) => `    bind ${bound(address)}${tls ? certificatesOf(policies) : ""}`).join("\n")}
    option forwardfor
    # As the front does: what may have been done already is not done twice.
    http-request disable-l7-retry unless { method GET HEAD OPTIONS TRACE PUT DELETE }
    http-request set-header X-Forwarded-Proto ${encrypted ? "https if { ssl_fc }" : "http"}${encrypted ? "\n    http-request set-header X-Forwarded-Proto http unless { ssl_fc }" : ""}
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
${Number.isFinite(maxBodyBytes) ? `    http-request deny deny_status 413 if { req.hdr_val(content-length) gt ${maxBodyBytes} }\n` : ""}    default_backend ${name}

backend ${name}
    balance ${hashBy(policies) ?? algorithm ?? "leastconn"}
${stickiness(policies)}${check(policies)}    default-server${policies.active === undefined ? "" : checked(policies.active)}${observed(policies)}${ofServers}
${servers.map(({ id, address }) => `    server ${id} ${address} cookie ${id}`).join("\n")}
`;
}

function bound(address: string): string {
  return address.startsWith("unix:") ? `unix@${address.slice(5)}` : address;
}

function certificatesOf({ certificates }: Policies): string {
  return ` ssl${certificates.map(({ cert }) => ` crt ${cert}`).join("")} alpn h2,http/1.1`;
}

function hashBy({ affinity }: Policies): string | undefined {
  switch (affinity?.kind) {
    case "ip":
      return "source\n    hash-type consistent";
    case "header":
      return `hdr(${affinity.name})\n    hash-type consistent`;
    case "query":
      return `url_param ${affinity.name}\n    hash-type consistent`;
    default:
      return undefined;
  }
}

/** HAProxy's own cookie of that name: the one that our front gave is sealed, and not known to it. */
function stickiness({ affinity }: Policies): string {
  if (affinity?.kind === "cookie") {
    return `    cookie ${affinity.name} insert indirect nocache httponly maxidle ${Math.round(affinity.ttlMs / 1_000)}s\n`;
  }
  if (affinity?.kind === "socket.io") {
    return "    cookie io insert indirect nocache httponly\n";
  }
  return "";
}

function affinityWords({ affinity }: Policies): readonly string[] | undefined {
  if (affinity?.kind === "cookie") return ["affinity: clients that hold a cookie of lb get one of HAProxy's once"];
  if (affinity?.kind === "key") return ["affinity by a function: there is none here"];
  if (affinity?.kind === "socket.io")
    return ["affinity by socket.io: a cookie stands in, which clients of Engine.IO have to send"];
  return undefined;
}

function check({ active }: Policies): string {
  if (active === undefined) return "";
  return `    option httpchk\n    http-check send meth GET uri ${active.path} ver HTTP/1.1 hdr Host localhost\n    http-check expect status 200-399\n    timeout check ${seconds(active.timeoutMs)}\n`;
}

function checked({ intervalMs, unhealthyAfter, healthyAfter }: NonNullable<Policies["active"]>): string {
  return ` check inter ${seconds(intervalMs)} fall ${unhealthyAfter} rise ${healthyAfter}`;
}

/** What has failed is brought back by a check, at least of its port. */
function observed({ active, passive }: Policies): string {
  const probed = active === undefined ? " check inter 2s fall 2 rise 1" : "";
  return probed + (passive === undefined ? "" : ` observe layer4 error-limit ${passive.failures} on-error mark-down`);
}
