// Adapted from the tests of @fastify/reply-from (MIT, Copyright (c) 2018 Matteo Collina, The Fastify team).
import { deepEqual, equal, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FastifyProxyOptions, httpProxy } from "./adapters.ts";
import { plain, telling, texts, told } from "./answers.ts";
import { fastifyReplyFromFiles } from "./files.ts";
import type { Case, Stage, Suite } from "./suite.ts";

const cases: Case[] = [];
const from = (file: string, run: Case["run"], name = file, differs?: string) =>
  cases.push({ file: `${file}.test.js`, name, run, ...(differs === undefined ? {} : { differs }) });
const proxied = (stage: Stage, options: FastifyProxyOptions) => stage.fastify((app) => httpProxy(app, options));
const json = { "Content-Type": "application/json" };

for (const file of ["base-get", "full-get-test", "undici", "async-route-handler"]) {
  from(file, async (stage) => {
    const upstream = await stage.target(
      (_request, response) => void response.writeHead(205, { "X-My-Header": "hello!" }).end(),
    );
    const answer = await fetch(await proxied(stage, { upstream }));
    deepEqual([answer.status, answer.headers.get("x-my-header")], [205, "hello!"]);
  });
}
for (const file of ["base-path", "core-with-path-in-base", "undici-with-path-in-base"]) {
  from(file, async (stage) => {
    equal(
      (await told(`${await proxied(stage, { upstream: `${await stage.target(telling)}/hello` })}/world`)).url,
      "/hello/world",
    );
  });
}
for (const file of ["base-querystring", "full-querystring", "full-querystring-url"]) {
  from(file, async (stage) => {
    equal(
      (await told(`${await proxied(stage, { upstream: await stage.target(telling) })}/hi?a=b&c=d%20e`)).url,
      "/hi?a=b&c=d%20e",
    );
  });
}
from("balanced-pool", async (stage) => {
  const hits = [0, 0, 0];
  const targets: string[] = [];
  for (const at of hits.keys()) {
    targets.push(
      await stage.target((_request, response) => {
        hits[at]!++;
        response.end();
      }),
    );
  }
  const url = await proxied(stage, { upstream: "", replyOptions: { getUpstream: () => targets } });
  for (let round = 0; round < 30; round++) await fetch(url);
  deepEqual(
    hits.map((count) => count > 0),
    [true, true, true],
  );
});
const bodies: [string, string, string][] = [
  ["full-post", "application/json", '{"hello":"world"}'],
  ["full-post-extended-content-type", "application/json;charset=utf-8", '{"hello":"world"}'],
  ["full-post-stream", "application/octet-stream", "some stream"],
  ["full-post-stream-core", "application/octet-stream", "some stream"],
  ["post-formbody", "application/x-www-form-urlencoded", "some=info&another=detail"],
  ["post-plain-text", "text/plain", "this is plain text"],
  ["post-with-custom-encoded-contenttype", "application/vnd.own+json", '{"a":1}'],
  ["post-with-octet-stream", "application/octet-stream", "\u0000bytes"],
  ["undici-body", "application/json", '{"hello":"world"}'],
  ["padded-body", "application/json", '{\n  "hello": "world"\n}'],
];
for (const [file, type, body] of bodies) {
  from(file, async (stage) => {
    const seen = await told(await proxied(stage, { upstream: await stage.target(telling) }), {
      method: "POST",
      headers: { "Content-Type": type },
      body,
    });
    deepEqual([seen.method, seen.headers["content-type"], seen.body], ["POST", type, body]);
  });
}
from(
  "fix-GHSA-v2v2-hph8-q5xp",
  async (stage) => {
    const body = '"{\\"method\\":\\"invalid_method\\"}"';
    const seen = await told(await proxied(stage, { upstream: await stage.target(telling) }), {
      method: "POST",
      headers: { "Content-Type": "application/json ; charset=utf-8" },
      body,
    });
    equal(seen.body, body);
  },
  "should not parse the body if it is an object",
);
from("fix-GHSA-2q7r-29rg-6m5h", async (stage) => {
  const url = await proxied(stage, { upstream: `${await stage.target(telling)}/hi/` });
  equal((await plain(url, { path: "/ho/%2E%2E/%2E%2E/hi" })).status, 400);
});
from(
  "fix-GHSA-v574-6498-x57v",
  async (stage) => {
    const [one, two] = [
      await stage.target(texts({ "/private": "one" })),
      await stage.target(texts({ "/private": "two" })),
    ];
    const getUpstream = ({ headers }: { headers: Record<string, unknown> }) =>
      headers["x-which"] === "two" ? two : one;
    const url = `${await proxied(stage, { upstream: "", replyOptions: { getUpstream: getUpstream as never } })}/private`;
    const which = async (name: string) => (await fetch(url, { headers: { "X-Which": name } })).text();
    deepEqual([await which("one"), await which("two"), await which("one")], ["one", "two", "one"]);
  },
  "different upstreams are never taken for one another",
);
for (const file of ["get-upstream-http", "get-upstream-undici", "get-upstream-cache"]) {
  from(file, async (stage) => {
    const upstream = await stage.target(texts({ "/x": "found" }));
    const url = await proxied(stage, { upstream: "", replyOptions: { getUpstream: () => upstream } });
    equal(await (await fetch(`${url}/x`)).text(), "found");
  });
}
from("get-upstream-type", async (stage) => {
  const url = await proxied(stage, { upstream: "", replyOptions: { getUpstream: (() => 5) as never } });
  equal((await fetch(url)).status, 500);
});
from(
  "host-header",
  async (stage) => {
    const upstream = await stage.target(telling);
    equal((await told(await proxied(stage, { upstream }))).headers["host"], new URL(upstream).host);
  },
  "hostname is a dependent of the upstream",
);
from(
  "host-header",
  async (stage) => {
    const upstream = await stage.target(telling);
    const rewriteRequestHeaders = (_request: unknown, headers: object) => ({ ...headers, host: "example.com" });
    const url = await proxied(stage, { upstream, replyOptions: { rewriteRequestHeaders } });
    equal((await told(url)).headers["host"], "example.com");
  },
  "custom host header is used",
);
from("http-invalid-target", async (stage) => {
  equal((await fetch(await proxied(stage, { upstream: "http://127.0.0.1:1" }))).status, 502);
});
const failingOnce = async (stage: Stage, fail: (response: import("node:http").ServerResponse) => void) => {
  let asked = 0;
  return stage.target((_request, response) => {
    asked++;
    if (asked === 1) fail(response);
    else response.end("retried");
  });
};
from(
  "http-retry",
  async (stage) => {
    const [a, b] = [
      await failingOnce(stage, (response) => response.destroy()),
      await stage.target(texts({ "/": "retried" })),
    ];
    const url = await proxied(stage, { upstream: "", replyOptions: { getUpstream: () => [a, b] } });
    for (let round = 0; round < 4; round++) equal(await (await fetch(url)).text(), "retried");
  },
  "will retry",
  undefined,
);
from(
  "http-retry",
  async (stage) => {
    const upstream = await failingOnce(stage, (response) => response.destroy());
    equal((await fetch(await proxied(stage, { upstream, retry: false }))).status, 502);
  },
  "will not retry",
);
from(
  "retry-on-503",
  async (stage) => {
    const [a, b] = [
      await stage.target((_request, response) => void response.writeHead(503).end()),
      await stage.target(texts({ "/": "retried" })),
    ];
    const url = await proxied(stage, { upstream: "", replyOptions: { getUpstream: () => [a, b] } });
    for (let round = 0; round < 4; round++) equal(await (await fetch(url)).text(), "retried");
  },
  "Should retry on 503 HTTP error: at another target",
);
for (const file of ["http-timeout", "undici-timeout", "undici-options"]) {
  from(file, async (stage) => {
    const upstream = await stage.target(() => {});
    equal((await fetch(await proxied(stage, { upstream, retry: false, timeouts: { responseMs: 200 } }))).status, 504);
  });
}
for (const file of ["undici-timeout-body", "undici-timeout-body-partial"]) {
  from(file, async (stage) => {
    const upstream = await stage.target(
      (_request, response) => void response.writeHead(200, { "Content-Length": "100" }).write("half"),
    );
    const answer = await fetch(await proxied(stage, { upstream, retry: false, timeouts: { responseMs: 200 } }));
    const cut = await answer.text().then(
      () => false,
      () => true,
    );
    deepEqual([answer.status, cut], [200, true]);
  });
}
from("http1-aborted-request", async (stage) => {
  let closed = false;
  const upstream = await stage.target(
    (request) =>
      void request.once("close", () => {
        closed = true;
      }),
  );
  const url = await proxied(stage, { upstream });
  const leave = new AbortController();
  const left = fetch(url, { signal: leave.signal }).catch(() => {});
  await new Promise((later) => setTimeout(later, 200));
  leave.abort();
  await left;
  for (let round = 0; !closed && round < 200; round++) await new Promise((later) => setTimeout(later, 10));
  ok(closed);
});
from("method", async (stage) => {
  const url = await proxied(stage, { upstream: await stage.target(telling) });
  for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS"])
    equal((await told(url, { method, headers: json, body: '{"a":1}' })).method, method);
});
for (const [file, method] of [
  ["no-body-opts-with-get", "GET"],
  ["no-body-opts-with-head", "HEAD"],
] as const) {
  from(file, async (stage) => {
    const upstream = await stage.target(
      (request, response) => void response.setHeader("X-Length", String(request.headers["content-length"])).end(),
    );
    const { headers } = await fetch(await proxied(stage, { upstream }), { method });
    equal(headers.get("x-length"), "undefined");
  });
}
from("on-error", async (stage) => {
  const heard: string[] = [];
  await fetch(
    await proxied(stage, { upstream: "http://127.0.0.1:1", replyOptions: { onError: ({ code }) => heard.push(code) } }),
  );
  deepEqual(heard, ["LB_UPSTREAM_CONNECT"]);
});
from(
  "on-invalid-upstream-response",
  async (stage) => {
    const upstream = await stage.target((_request, response) => void response.writeHead(888).end());
    const seen: number[] = [];
    const answer = await fetch(
      await proxied(stage, { upstream, replyOptions: { onResponse: ({ status }) => void seen.push(status) } }),
    );
    deepEqual([answer.status, seen], [502, [888]]);
  },
  "on-invalid-upstream-response",
  "a status that no standard has is relayed as it is: the client may know it",
);
from("onResponse", async (stage) => {
  const replyOptions: FastifyProxyOptions["replyOptions"] = {
    onResponse: async (response) => ({ body: `${await response.text()} and more` }),
  };
  const url = await proxied(stage, { upstream: await stage.target(texts({ "/": "hello world" })), replyOptions });
  equal(await (await fetch(url)).text(), "hello world and more");
});
from("rewrite-headers", async (stage) => {
  const upstream = await stage.target(
    (_request, response) =>
      void response.writeHead(205, { "Content-Type": "text/plain", "X-My-Header": "hello!" }).end(),
  );
  const rewriteHeaders = (headers: Record<string, unknown>) => ({
    "content-type": headers["content-type"] as string,
    "x-another-header": "so headers!",
  });
  const answer = await fetch(await proxied(stage, { upstream, replyOptions: { rewriteHeaders } }));
  deepEqual(
    [answer.status, answer.headers.get("x-my-header"), answer.headers.get("x-another-header")],
    [205, null, "so headers!"],
  );
});
from("rewrite-request-headers", async (stage) => {
  const rewriteRequestHeaders = (_request: unknown, headers: object) => ({
    ...headers,
    host: "host-override",
    "x-own": "1",
  });
  const seen = await told(
    await proxied(stage, { upstream: await stage.target(telling), replyOptions: { rewriteRequestHeaders } }),
  );
  equal(seen.headers["x-own"], "1");
});
for (const [name, headers, gone, kept] of [
  [
    "strips headers listed in Connection header",
    { "X-Custom-Header": "1", Connection: "X-Custom-Header" },
    ["x-custom-header"],
    [],
  ],
  [
    "strips multiple headers listed in Connection header",
    { "X-One": "1", "X-Two": "2", "X-Kept": "3", Connection: "X-One, x-two" },
    ["x-one", "x-two"],
    ["x-kept"],
  ],
  [
    "handles Connection header with standard values",
    { "X-Kept": "1", Connection: "keep-alive" },
    ["keep-alive"],
    ["x-kept"],
  ],
  ["handles whitespace in Connection header", { "X-One": "1", Connection: " x-one ,  close" }, ["x-one"], []],
] as const) {
  from(
    "strip-connection-headers",
    async (stage) => {
      const { body } = await plain(await proxied(stage, { upstream: await stage.target(telling) }), { headers });
      const names = Object.keys(JSON.parse(body).headers);
      deepEqual(
        [gone.some((field) => names.includes(field)), kept.every((field) => names.includes(field))],
        [false, true],
      );
    },
    name,
  );
}
from("text-event-stream-custom-parser", async (stage) => {
  const url = await proxied(stage, { upstream: await stage.target(telling) });
  equal(
    (await told(url, { method: "POST", headers: { "Content-Type": "text/event-stream" }, body: "data: 1\n\n" })).body,
    "data: 1\n\n",
  );
});
from("transform-body", async (stage) => {
  const replyOptions: FastifyProxyOptions["replyOptions"] = {
    onResponse: async (response) => ({ body: (await response.text()).toUpperCase() }),
  };
  const url = await proxied(stage, { upstream: await stage.target(texts({ "/": "hello" })), replyOptions });
  equal(await (await fetch(url)).text(), "HELLO");
});
from(
  "undici-connect-timeout",
  async (stage) => {
    // Addresses of documentation are answered by nobody, or refused by the network at once.
    const answer = await fetch(
      await proxied(stage, { upstream: "http://192.0.2.1:9", retry: false, timeouts: { connectMs: 200 } }),
    );
    equal(answer.status, 502);
  },
  "undici-connect-timeout",
  undefined,
);
for (const file of ["unix-http", "unix-http-undici", "unix-http-undici-from"]) {
  from(file, async (stage) => {
    const path = join(tmpdir(), `lb-compat-${randomUUID().slice(0, 8)}.sock`);
    const server = createServer(texts({ "/hello": "over a socket" }));
    await new Promise<void>((ready) => server.listen(path, ready));
    stage.after(async () => server.close());
    equal(await (await fetch(`${await proxied(stage, { upstream: `unix:${path}` })}/hello`)).text(), "over a socket");
  });
}

export const fastifyReplyFrom: Suite = {
  project: "@fastify/reply-from",
  version: "12.6.4",
  source: "https://github.com/fastify/fastify-reply-from/tree/main/test",
  cases,
  files: fastifyReplyFromFiles(cases),
};
