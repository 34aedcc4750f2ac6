// Adapted from the tests of @fastify/http-proxy (MIT, Copyright (c) 2018-present The Fastify team).
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Transform } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { type FastifyProxyOptions, httpProxy } from "./adapters.ts";
import { plain, telling, texts, told } from "./answers.ts";
import type { Case, Stage, Suite } from "./suite.ts";

const cases: Case[] = [];
const inFile = (file: string) => (name: string, run: Case["run"], differs?: string) =>
  cases.push({ file, name, run, ...(differs === undefined ? {} : { differs }) });
const proxied = (stage: Stage, options: FastifyProxyOptions) => stage.fastify((app) => httpProxy(app, options));
const text = async (url: string, options?: RequestInit) => (await fetch(url, options)).text();
const origin = (stage: Stage) =>
  stage.target(texts({ "/": "this is root", "/a": "this is a", "/api2/a": "this is /api2/a" }));

const main = inFile("test.js");
for (const dynamic of [false, true]) {
  const of = dynamic ? "dynamic upstream for " : "";
  const options = (url: string) =>
    dynamic ? { upstream: "", replyOptions: { getUpstream: () => url } } : { upstream: url };
  main(`${of}basic proxy`, async (stage) => {
    const url = await proxied(stage, options(await origin(stage)));
    deepEqual([await text(url), await text(`${url}/a`)], ["this is root", "this is a"]);
  });
  main(`${of}redirects passthrough`, async (stage) => {
    const target = await stage.target(
      (_request, response) => void response.writeHead(302, { Location: "https://fastify.dev" }).end(),
    );
    const answer = await fetch(await proxied(stage, options(target)), { redirect: "manual" });
    deepEqual([answer.status, answer.headers.get("location")], [302, "https://fastify.dev"]);
  });
  main(`${of}prefixed proxy`, async (stage) => {
    const url = await proxied(stage, { ...options(await origin(stage)), prefix: "/my-prefix" });
    deepEqual(
      [await text(`${url}/my-prefix`), await text(`${url}/my-prefix/`), await text(`${url}/my-prefix/a`)],
      ["this is root", "this is root", "this is a"],
    );
  });
  main(`${of}posting stuff`, async (stage) => {
    const url = await proxied(stage, options(await stage.target(telling)));
    const body = '{"hello":"world"}';
    equal(
      (await told(`${url}/this-has-data`, { method: "POST", headers: { "Content-Type": "application/json" }, body }))
        .body,
      body,
    );
  });
}
main("no upstream will throw", async (stage) => {
  await rejects(proxied(stage, { upstream: "" }), /targets/);
});
main("skip proxying the incoming payload", async (stage) => {
  const url = await proxied(stage, { upstream: await stage.target(telling) });
  equal(
    (await told(url, { method: "POST", headers: { "Content-Type": "application/x-own" }, body: "any" })).body,
    "any",
  );
});
main("preHandler", async (stage) => {
  const upstream = await origin(stage);
  const url = await stage.fastify(async (app) => {
    app.addHook("preHandler", async (_request, reply) => reply.code(401).send("Unauthorized"));
    await httpProxy(app, { upstream });
  });
  equal((await fetch(url)).status, 401);
});
main("multiple prefixes with multiple plugins", async (stage) => {
  const [one, two] = [await origin(stage), await stage.target(texts({ "/": "this is root for origin2" }))];
  const url = await stage.fastify(async (app) => {
    await httpProxy(app, { upstream: one, prefix: "/api" });
    await httpProxy(app, { upstream: two, prefix: "/api2" });
  });
  deepEqual([await text(`${url}/api`), await text(`${url}/api2`)], ["this is root", "this is root for origin2"]);
});
main("passes replyOptions object to reply.from() calls", async (stage) => {
  const upstream = await origin(stage);
  const rewriteHeaders = (headers: object) => ({ ...headers, "x-test": "test" });
  const { headers } = await fetch(
    `${await proxied(stage, { upstream, prefix: "/api", replyOptions: { rewriteHeaders } })}/api`,
  );
  equal(headers.get("x-test"), "test");
});
main("rewritePrefix", async (stage) => {
  equal(
    await text(
      `${await proxied(stage, { upstream: await origin(stage), prefix: "/api", rewritePrefix: "/api2/" })}/api/a`,
    ),
    "this is /api2/a",
  );
});
main("rewritePrefix without prefix", async (stage) => {
  equal(
    await text(`${await proxied(stage, { upstream: await origin(stage), rewritePrefix: "/api2" })}/a`),
    "this is /api2/a",
  );
});
for (const [name, prefix, rewritePrefix, path, seen] of [
  ["prefix with variables", "/:id", "/", "/123/a", "/a"],
  [
    "prefix and rewritePrefix with variables",
    "/api/:id",
    "/variable-api/:id",
    "/api/123/endpoint",
    "/variable-api/123/endpoint",
  ],
  [
    "prefix (complete path) and rewritePrefix with variables and similar path",
    "/api/:id/static",
    "/variable-api/:id/endpoint",
    "/api/123/static",
    "/variable-api/123/endpoint",
  ],
  [
    "prefix and rewritePrefix with variables with different paths",
    "/:id",
    "/variable-api/:id/endpoint",
    "/123",
    "/variable-api/123/endpoint",
  ],
  [
    "keep the query params on proxy",
    "/api/:id/endpoint",
    "/variable-api/:id/endpoint-with-query",
    "/api/123/endpoint?foo=bar&foo=baz",
    "/variable-api/123/endpoint-with-query?foo=bar&foo=baz",
  ],
] as const) {
  main(name, async (stage) => {
    const url = await proxied(stage, { upstream: await stage.target(telling), prefix, rewritePrefix });
    equal((await told(url + path)).url, seen);
  });
}
const redirecting = (stage: Stage, location: string) =>
  stage.target((_request, response) => void response.writeHead(303, { Location: location }).end());
main("rewrite location headers", async (stage) => {
  const url = await proxied(stage, { upstream: await redirecting(stage, "/something"), prefix: "/api" });
  const { headers } = await fetch(`${url}/api/this-has-data`, { method: "POST", body: "{}", redirect: "manual" });
  equal(headers.get("location"), "/api/something");
});
main("location headers is preserved when internalRewriteLocationHeader option is false", async (stage) => {
  const upstream = await redirecting(stage, "/relative-url");
  const url = await proxied(stage, { upstream, prefix: "/my-prefix", internalRewriteLocationHeader: false });
  equal((await fetch(`${url}/my-prefix/x`, { redirect: "manual" })).headers.get("location"), "/relative-url");
});
main("passes onResponse option to reply.from() calls", async (stage) => {
  const loud = () => new Transform({ transform: (piece, _, done) => done(null, String(piece).toUpperCase()) });
  const replyOptions: FastifyProxyOptions["replyOptions"] = {
    onResponse: (response) => ({ body: response.stream().pipe(loud()) }),
  };
  match(
    await text(`${await proxied(stage, { upstream: await origin(stage), prefix: "/api", replyOptions })}/api`),
    /THIS IS ROOT/,
  );
});
main("undici POST", async (stage) => {
  const url = await proxied(stage, { upstream: await stage.target(telling) });
  equal((await told(url, { method: "POST", body: "hello" })).method, "POST");
});
main("proxy request timeout", async (stage) => {
  const upstream = await stage.target(() => {});
  equal((await fetch(await proxied(stage, { upstream, retry: false, timeouts: { responseMs: 300 } }))).status, 504);
});
main("prefixed proxy with query search", async (stage) => {
  const upstream = `${await stage.target(telling)}/second-service`;
  const url = await proxied(stage, { upstream, prefix: "/second-service" });
  equal((await told(`${url}/second-service?lang=en`)).url, "/second-service?lang=en");
  equal((await told(`${url}/second-service/foo?lang=en`)).url, "/second-service/foo?lang=en");
});
main("check against traversal attempts", async (stage) => {
  const url = await proxied(stage, { upstream: `${await origin(stage)}/bar/` });
  for (const path of ["/%2e%2e", "/foo/..%2f..%2fa"]) equal((await plain(url, { path })).status, 400);
});
const targetOf = async (
  stage: Stage,
  seen: { url: string | undefined; cookie: string | undefined; extra: unknown }[],
) => {
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  await once(server, "listening");
  server.on("connection", (socket, { url, headers }) => {
    seen.push({ url, cookie: headers.cookie, extra: headers["x-extra"] });
    socket.on("message", (said) => socket.send(String(said)));
  });
  stage.after(async () => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const talk = async (
  stage: Stage,
  url: string,
  options: { protocols?: string[]; headers?: Record<string, string> } = {},
) => {
  const socket = new WebSocket(url.replace("http", "ws"), options.protocols ?? [], { headers: options.headers ?? {} });
  stage.after(async () => socket.terminate());
  await once(socket, "open");
  socket.send("hello");
  const [said] = await once(socket, "message");
  return { said: String(said), socket };
};
const sockets = inFile("websocket.js");
sockets("basic websocket proxy, with its cookies and subprotocols", async (stage) => {
  const seen: Parameters<typeof targetOf>[1] = [];
  const url = await proxied(stage, { upstream: await targetOf(stage, seen) });
  const { said, socket } = await talk(stage, `${url}/x`, {
    protocols: ["one", "two"],
    headers: { Cookie: "request=1" },
  });
  deepEqual([said, socket.protocol, seen[0]?.cookie, seen[0]?.url], ["hello", "one", "request=1", "/x"]);
});
sockets("multiple websocket upstreams", async (stage) => {
  const [one, two] = [[], []] as Parameters<typeof targetOf>[1][];
  const [a, b] = [await targetOf(stage, one!), await targetOf(stage, two!)];
  const url = await stage.fastify(async (app) => {
    await httpProxy(app, { upstream: a, prefix: "/a" });
    await httpProxy(app, { upstream: b, prefix: "/b" });
  });
  await talk(stage, `${url}/a`);
  await talk(stage, `${url}/b`);
  deepEqual([one!.length, two!.length], [1, 1]);
});
sockets("getUpstream", async (stage) => {
  const upstream = await targetOf(stage, []);
  equal(
    (await talk(stage, await proxied(stage, { upstream: "", replyOptions: { getUpstream: () => upstream } }))).said,
    "hello",
  );
});
sockets("websocket proxy trigger hooks", async (stage) => {
  const upstream = await targetOf(stage, []);
  const url = await stage.fastify(async (app) => {
    app.addHook("onRequest", async ({ headers }, reply) =>
      headers["x-refused"] === undefined ? undefined : reply.code(401).send(),
    );
    await httpProxy(app, { upstream });
  });
  equal((await talk(stage, url)).said, "hello");
  await rejects(talk(stage, url, { headers: { "X-Refused": "1" } }), /401/);
});
sockets("websocket proxy with rewriteRequestHeaders, and custom headers", async (stage) => {
  const seen: Parameters<typeof targetOf>[1] = [];
  const rewriteRequestHeaders = (_request: unknown, headers: object) => ({
    ...headers,
    "x-extra": "1",
    cookie: "own=2",
  });
  await talk(
    stage,
    await proxied(stage, { upstream: await targetOf(stage, seen), replyOptions: { rewriteRequestHeaders } }),
  );
  deepEqual([seen[0]?.extra, seen[0]?.cookie], ["1", "own=2"]);
});
sockets("should call onConnect, onIncomingMessage, onOutgoingMessage and onDisconnect hooks", async (stage) => {
  const heard: string[] = [];
  const wsHooks: FastifyProxyOptions["wsHooks"] = {
    onOpen: () => heard.push("open"),
    onMessage: ({ from, data }) => heard.push(`${from} ${data}`),
    onClose: () => heard.push("close"),
  };
  const { socket } = await talk(stage, await proxied(stage, { upstream: await targetOf(stage, []), wsHooks }));
  socket.close();
  for (let round = 0; heard.length < 4 && round < 200; round++) await new Promise((later) => setTimeout(later, 10));
  deepEqual(heard, ["open", "client hello", "target hello", "close"]);
});
inFile("websocket-pathname.js")("keep proxy websocket pathname", async (stage) => {
  const seen: Parameters<typeof targetOf>[1] = [];
  await talk(stage, `${await proxied(stage, { upstream: await targetOf(stage, seen) })}/a/b?x=1`);
  equal(seen[0]?.url, "/a/b?x=1");
});
inFile("ws-prefix-rewrite-core.js")("prefix and rewritePrefix hold for WebSockets", async (stage) => {
  const seen: Parameters<typeof targetOf>[1] = [];
  await talk(
    stage,
    `${await proxied(stage, { upstream: await targetOf(stage, seen), prefix: "/prefix", rewritePrefix: "/rewritten" })}/prefix/x`,
  );
  equal(seen[0]?.url, "/rewritten/x");
});

export const fastifyHttpProxy: Suite = {
  project: "@fastify/http-proxy",
  version: "11.4.4",
  source: "https://github.com/fastify/fastify-http-proxy/tree/main/test",
  cases,
  files: {
    "export.js": { tests: 3, rest: "its own exports" },
    "options.js": { tests: 1, rest: "its own options; ours are checked by our own tests" },
    "socket.io.js": { tests: 1, rest: "sessions of Socket.IO over a gateway: shown by our own tests" },
    "test.js": {
      tests: 38,
      rest: "`preValidation` with a parsed body (bodies pass unparsed), route options (`config`, `constraints`, `routes`, `httpMethods`), `fromParameters`, `preRewrite`",
    },
    "utils.js": { tests: 1, rest: "its own parts" },
    "websocket-pathname.js": { tests: 1 },
    "websocket-querystring.js": { tests: 2, rest: "`queryString`: a `path` function does it" },
    "websocket.js": {
      tests: 19,
      rest: "options of `ws`, of which there is none between the two ends, `wsUpstream` (a router decides), the same with other options",
    },
    "ws-prefix-rewrite-core.js": { tests: 1 },
    "ws-prefix-rewrite.js": { tests: 1, rest: "the same with its own options" },
    "ws-reconnect.js": {
      tests: 14,
      rest: "a WebSocket ends with its target here: who speaks over it knows what was lost, and a gateway does not",
    },
  },
};
