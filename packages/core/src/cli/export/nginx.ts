import type { Policies } from "./policies.ts";
import { remarks, seconds } from "./words.ts";

/** The same policies as a file for the `http` block of nginx, e.g. in `/etc/nginx/conf.d`. */
export function nginx(policies: Policies): string {
  const { name, listeners, servers, strategy, attempts, timeouts, maxBodyBytes, active, passive } = policies;
  const { headersMs, bodyIdleMs, keepAliveMs, writeIdleMs, responseMs, tunnelMs } = timeouts;
  const sticks = affinityLines(policies);
  const notes = [
    ...(sticks.hash === undefined && methods[strategy] === undefined
      ? [`strategy ${strategy}: least_conn is nearest`]
      : []),
    ...sticks.notes,
    ...(active === undefined
      ? []
      : ["health.active: checks of their own are a part of NGINX Plus; failed requests are counted instead"]),
    ...(listeners.some(({ encrypted }) => encrypted) && policies.certificates.length === 0
      ? ["https: name the certificate (ssl_certificate)"]
      : []),
    "limits.maxConnections: worker_connections, outside of this file",
    ...policies.others,
  ];
  const fails =
    passive === undefined ? "max_fails=0" : `max_fails=${passive.failures} fail_timeout=${seconds(passive.outMs)}`;
  return `${remarks("#", notes)}map $http_upgrade $${variable(name)}_connection {
    default upgrade;
    "" "";
}
${sticks.maps}
upstream ${name} {
${[sticks.hash ?? methods[strategy] ?? "least_conn;"]
  .filter((line) => line !== "")
  .map((line) => `    ${line}\n`)
  .join("")}${servers.map(({ address }) => `    server ${address} ${fails};\n`).join("")}    keepalive 64;
}

server {
${listeners.map(({ address, encrypted }) => `    listen ${address}${encrypted ? " ssl" : ""};\n`).join("")}${policies.certificates.map(({ cert, key }) => `    ssl_certificate ${cert};\n    ssl_certificate_key ${key};\n`).join("")}
    client_header_timeout ${seconds(headersMs)};
    client_body_timeout ${seconds(bodyIdleMs)};
    send_timeout ${seconds(writeIdleMs)};
    keepalive_timeout ${seconds(keepAliveMs)};
    client_max_body_size ${Number.isFinite(maxBodyBytes) ? maxBodyBytes : 0};

    location / {
        proxy_pass http://${name};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $${variable(name)}_connection;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_connect_timeout 2s;
        # For WebSockets too, which nginx cannot tell apart: ${seconds(responseMs)} for responses, ${seconds(tunnelMs)} for those.
        proxy_read_timeout ${seconds(tunnelMs)};
        proxy_send_timeout ${seconds(writeIdleMs)};
        proxy_next_upstream ${attempts > 1 ? "error timeout" : "off"};
        proxy_next_upstream_tries ${attempts};
${sticks.location}    }
}
`;
}

const methods: Readonly<Record<string, string>> = {
  "round-robin": "",
  "weighted-round-robin": "",
  "least-connections": "least_conn;",
  "power-of-two": "random two least_conn;",
  random: "random;",
};

interface Stickiness {
  readonly hash: string | undefined;
  readonly maps: string;
  readonly location: string;
  readonly notes: readonly string[];
}

function affinityLines({ name, affinity }: Policies): Stickiness {
  const by = (hash: string): Stickiness => ({ hash, maps: "", location: "", notes: [] });
  switch (affinity?.kind) {
    case "ip":
      return by("hash $remote_addr consistent;");
    case "header":
      return by(`hash $http_${variable(affinity.name.toLowerCase())} consistent;`);
    case "query":
      return by(`hash $arg_${affinity.name} consistent;`);
    case "cookie":
    case "socket.io": {
      // Whoever comes without the cookie gets one, and goes by its value from the first request on.
      const cookie = affinity.kind === "cookie" ? affinity.name : "io";
      const key = `$${variable(name)}_key`;
      const given = `$${variable(name)}_cookie`;
      const age = affinity.kind === "cookie" ? `; Max-Age=${Math.round(affinity.ttlMs / 1_000)}` : "";
      return {
        hash: `hash ${key} consistent;`,
        maps: `map $cookie_${cookie} ${key} {\n    default $cookie_${cookie};\n    "" $request_id;\n}\nmap $cookie_${cookie} ${given} {\n    default "";\n    "" "${cookie}=$request_id; Path=/; HttpOnly${age}";\n}\n`,
        location: `        add_header Set-Cookie ${given};\n`,
        notes: [
          "affinity: by a hash of a cookie, which clients get from nginx; one of lb's goes on to count as such a value",
        ],
      };
    }
    case "key":
      return { hash: undefined, maps: "", location: "", notes: ["affinity by a function: there is none here"] };
    case undefined:
      return { hash: undefined, maps: "", location: "", notes: [] };
  }
}

/** In names of variables. */
function variable(name: string): string {
  return name.replace(/\W/g, "_");
}
