import type { Policies } from "./policies.ts";
import { remarks, seconds } from "./words.ts";

/** What Caddy has for it; the hashing strategies only choose by what an affinity names. */
const selections: Readonly<Record<string, string>> = {
  "round-robin": "round_robin",
  "weighted-round-robin": "round_robin",
  "least-connections": "least_conn",
  "power-of-two": "random_choose 2",
  random: "random",
};

/** Where a parameter of the query stands as a field, which is what Caddy can hash. */
const keyField = "X-Lb-Key";

/** The same policies as a Caddyfile, for 2.6 or later. */
export function caddy(policies: Policies): string {
  const { name, listeners, certificates, servers, strategy, affinity, active, passive, timeouts } = policies;
  const sticks = selectionBy(affinity);
  const selection = sticks?.selection ?? selections[strategy];
  const encrypted = listeners.some((listener) => listener.encrypted);
  const notes = [
    ...(selection === undefined ? [`strategy ${strategy}: least_conn is nearest`] : []),
    ...(sticks?.notes ?? []),
    ...(policies.attempts > 1
      ? ["retries: as many as there is time for (lb_try_duration); what had been sent, GET alone"]
      : []),
    ...(active === undefined
      ? []
      : ["health.active: one answer or one failure decides; from 2.8 on health_passes, health_fails"]),
    "timeouts of bodies and WebSockets that stand still: those of Caddy are for the whole, and left out (stream_timeout, from 2.7 on)",
    ...(policies.maxConnections === undefined ? [] : ["limits.maxConnections: there is none"]),
    ...(encrypted && certificates.length === 0 ? ["https: name the certificate (tls <cert> <key>)"] : []),
    ...policies.others,
  ];
  return `${remarks("#", notes)}{
	auto_https disable_redirects
	servers {
		timeouts {
			read_header ${seconds(timeouts.headersMs)}
			idle ${seconds(timeouts.keepAliveMs)}
		}
	}
}

(${name}) {
${policies.maxBodyBytes < Number.POSITIVE_INFINITY ? `	request_body {\n		max_size ${policies.maxBodyBytes}\n	}\n` : ""}${(sticks?.before ?? []).map((line) => `	${line}\n`).join("")}	reverse_proxy ${servers.map(({ address }) => address).join(" ")} {
		lb_policy ${selection ?? "least_conn"}
		lb_try_duration ${policies.attempts > 1 ? seconds(policies.queueMs) : "0s"}
		lb_try_interval 50ms
${[...checks(active), ...outcomes(passive), ...(sticks?.within ?? [])].map((line) => `		${line}\n`).join("")}		transport http {
			dial_timeout 2s
			response_header_timeout ${seconds(timeouts.responseMs)}
		}
	}
}
${listeners.map((listener) => site(listener, policies)).join("")}`;
}

function site(listener: Policies["listeners"][number], { name, certificates }: Policies): string {
  const scheme = listener.encrypted ? "https" : "http";
  const [address, bound] =
    listener.kind === "unix"
      ? [`${scheme}://`, `unix/${quoted(listener.path)}`]
      : [`${scheme}://:${listener.port}`, listener.host];
  const tls = listener.encrypted
    ? certificates.map(({ cert, key }) => `	tls ${quoted(cert)} ${quoted(key)}\n`).join("")
    : "";
  return `\n${address} {\n	bind ${bound}\n${tls}	import ${name}\n}\n`;
}

interface Selection {
  readonly selection: string | undefined;
  /** Lines before the proxy, and in it. */
  readonly before?: readonly string[];
  readonly within?: readonly string[];
  readonly notes?: readonly string[];
}

function selectionBy(affinity: Policies["affinity"]): Selection | undefined {
  switch (affinity?.kind) {
    case "ip":
      return { selection: "ip_hash" };
    case "header":
      return { selection: `header ${affinity.name}` };
    case "query":
      return {
        selection: `header ${keyField}`,
        before: [`request_header ${keyField} {query.${affinity.name}}`],
        within: [`header_up -${keyField}`],
      };
    case "cookie":
      return {
        selection: `cookie ${affinity.name}`,
        notes: [
          "affinity: clients that hold a cookie of lb get one of Caddy's once, which lasts until the browser is closed",
        ],
      };
    case "socket.io":
      return {
        selection: "cookie io",
        notes: ["affinity by socket.io: a cookie stands in, which clients of Engine.IO have to send"],
      };
    case "key":
      return { selection: undefined, notes: ["affinity by a function: there is none here"] };
    case undefined:
      return undefined;
  }
}

function checks(active: Policies["active"]): readonly string[] {
  if (active === undefined) return [];
  const { path, intervalMs, timeoutMs } = active;
  return [
    `health_uri ${quoted(path)}`,
    `health_interval ${seconds(intervalMs)}`,
    `health_timeout ${seconds(timeoutMs)}`,
  ];
}

function outcomes(passive: Policies["passive"]): readonly string[] {
  return passive === undefined ? [] : [`fail_duration ${seconds(passive.outMs)}`, `max_fails ${passive.failures}`];
}

function quoted(text: string): string {
  return /^[\w./:@%?&=+-]+$/.test(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
