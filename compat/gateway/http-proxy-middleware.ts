// Adapted from the tests of http-proxy-middleware (MIT, Copyright (c) 2015 Steven Chim).
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import express from "express";
import { createProxyMiddleware, type MiddlewareOptions } from "./adapters.ts";
import { bodyOf, plain, telling, texts, told } from "./answers.ts";
import { httpProxyMiddlewareFiles } from "./files.ts";
import { socketCases } from "./http-proxy-middleware-sockets.ts";
import type { Case, Stage, Suite } from "./suite.ts";

const cases: Case[] = [];
const inFile = (file: string) => (name: string, run: Case["run"], differs?: string) =>
  cases.push({ file, name, run, ...(differs === undefined ? {} : { differs }) });

/** An app whose one middleware is the proxy. */
const appWith = (stage: Stage, options: MiddlewareOptions, path = "/") =>
  stage.express((app) => void app.use(path, createProxyMiddleware(stage, options)));
const text = async (url: string, options?: RequestInit) => (await fetch(url, options)).text();
const status = async (url: string, options?: RequestInit) => (await fetch(url, options)).status;

const main = inFile("e2e/http-proxy-middleware.spec.ts");
main('should have response body: "HELLO WEB"', async (stage) => {
  const target = await stage.target(texts({ "/api": "HELLO WEB" }));
  equal(await text(`${await appWith(stage, { target })}/api`), "HELLO WEB");
});
main("should have proxied the uri-path and uri-query, but not the uri-hash", async (stage) => {
  const target = await stage.target(telling);
  equal((await told(`${await appWith(stage, { target })}/api/b/c/dp?q=1&r=[2,3]#s`)).url, "/api/b/c/dp?q=1&r=[2,3]");
});
for (const type of ["application/x-www-form-urlencoded", "application/json"]) {
  main(`should proxy request body from ${type.includes("json") ? "json" : "form"}`, async (stage) => {
    const target = await stage.target(telling);
    const url = await stage.express((app) => {
      app.use(express.json(), express.urlencoded({ extended: false }), createProxyMiddleware(stage, { target }));
    });
    const body = type.includes("json") ? '{"foo":"bar"}' : "foo=bar&bar=baz";
    equal((await told(url, { method: "POST", headers: { "Content-Type": type }, body })).body, body);
  });
}
main("should proxy modified POST body from proxyReq when bodyParser is used (#942)", async (stage) => {
  const target = await stage.target(telling);
  const url = await stage.express((app) => {
    app.use(express.json(), (request, _response, next) => {
      request.body.injected = "server-only";
      next();
    });
    app.use(createProxyMiddleware(stage, { target }));
  });
  const headers = { "Content-Type": "application/json" };
  equal(
    (await told(url, { method: "POST", headers, body: '{"foo":"bar"}' })).body,
    '{"foo":"bar","injected":"server-only"}',
  );
});
main("custom pathFilter: should have response body", async (stage) => {
  const target = await stage.target(texts({ "/api": "HELLO WEB" }));
  const pathFilter = (path: string) => path.startsWith("/api");
  equal(await text(`${await appWith(stage, { target, pathFilter })}/api`), "HELLO WEB");
});
main("should not proxy when filter returns false", async (stage) => {
  equal(await status(`${await appWith(stage, { target: "http://127.0.0.1:1", pathFilter: () => false })}/api`), 404);
});
main("should not proxy when filter throws Error", async (stage) => {
  const pathFilter = () => {
    throw new Error("MY_ERROR");
  };
  equal(await status(`${await appWith(stage, { target: "http://127.0.0.1:1", pathFilter })}/api`), 500);
});
for (const [path, answered] of [
  ["/api", 200],
  ["/ajax", 200],
  ["/foo", 404],
] as const) {
  main(answered === 200 ? `should proxy to path ${path}` : "should not proxy with no matching path", async (stage) => {
    const target = await stage.target(texts({ "/api/some": "yes", "/ajax/some": "yes" }));
    equal(await status(`${await appWith(stage, { target, pathFilter: ["/api", "/ajax"] })}${path}/some`), answered);
  });
}
main('should send request header "host" to target server', async (stage) => {
  const target = await stage.target(telling);
  equal((await told(await appWith(stage, { target, headers: { host: "foobar.dev" } }))).headers["host"], "foobar.dev");
});
main(
  "should handle errors when host is not reachable",
  async (stage) => {
    const answered = await status(await appWith(stage, { target: "http://127.0.0.1:1" }));
    equal(answered, 504);
  },
  "no connection to a target is 502 here, and a target that does not answer in time 504 (RFC 9110 §15.6)",
);
main("should handle ECONNRESET errors from the target server", async (stage) => {
  const target = await stage.target((request) => void request.socket.resetAndDestroy());
  equal(await status(await appWith(stage, { target })), 502);
});
main("should handle closed connections from the target server", async (stage) => {
  const target = await stage.target((request) => void request.socket.destroy());
  equal(await status(await appWith(stage, { target })), 502);
});
main("should respond with custom http status code, and message", async (stage) => {
  const on: MiddlewareOptions["on"] = {
    error: (_error, _request, response) => void response.writeHead(418, "I'm a teapot").end(),
  };
  const { status: code, statusText } = await fetch(await appWith(stage, { target: "http://127.0.0.1:1", on }));
  deepEqual([code, statusText], [418, "I'm a teapot"]);
});
main("should add `x-added` as custom header to response, and remove `x-removed`", async (stage) => {
  const target = await stage.target((_request, response) => void response.writeHead(200, { "x-removed": "1" }).end());
  const on: MiddlewareOptions["on"] = {
    proxyRes: ({ headers }) => {
      headers["x-added"] = "foobar";
      delete headers["x-removed"];
    },
  };
  const { headers } = await fetch(await appWith(stage, { target, on }));
  deepEqual([headers.get("x-added"), headers.get("x-removed")], ["foobar", null]);
});
main("should add `x-added` as custom header to request", async (stage) => {
  const target = await stage.target(telling);
  const on: MiddlewareOptions["on"] = {
    proxyReq: (proxyRequest) => proxyRequest.setHeader("x-added", "added-from-hpm"),
  };
  equal((await told(await appWith(stage, { target, on }))).headers["x-added"], "added-from-hpm");
});
main("should keep header mutation safe under keep-alive socket contention (#472)", async (stage) => {
  const target = await stage.target(telling);
  const on: MiddlewareOptions["on"] = {
    proxyReq: (proxyRequest, request) => proxyRequest.setHeader("x-of", request.url!),
  };
  const url = await appWith(stage, { target, on });
  const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => told(`${url}/${at}`)));
  deepEqual(
    answers.map(({ headers }) => headers["x-of"]),
    answers.map((_, at) => `/${at}`),
  );
});
for (const [from, to] of [
  ["/api/foo/bar", "/rest/foo/bar"],
  ["/remove/api/lipsum", "/api/lipsum"],
]) {
  main(`should have rewritten path from "${from}" to "${to}"`, async (stage) => {
    const target = await stage.target(telling);
    const pathRewrite = { "^/api": "/rest", "^/remove": "" };
    equal((await told((await appWith(stage, { target, pathRewrite })) + from)).url, to);
  });
}
main("should proxy to target with the baseUrl", async (stage) => {
  const target = await stage.target(telling);
  equal((await told(`${await appWith(stage, { target: `${target}/api` }, "/api")}/api/foo/bar`)).url, "/api/foo/bar");
});

inFile("e2e/express-error-middleware.spec.ts")("should propagate error to express", async (stage) => {
  let heard: unknown;
  const url = await stage.express((app) => {
    const rethrow = (error: Error) => {
      heard = error;
    };
    app.use(
      createProxyMiddleware(stage, {
        target: "http://127.0.0.1:1",
        on: {
          error: (error, _, response) => {
            rethrow(error);
            response.writeHead(504).end("Something broke!");
          },
        },
      }),
    );
  });
  equal(await status(url), 504);
  ok(heard instanceof Error);
});
inFile("e2e/express-router.spec.ts")(
  "should still return a response when route does not match proxyConfig",
  async (stage) => {
    const url = await stage.express((app) => {
      const sub = express.Router();
      sub.use(createProxyMiddleware(stage, { target: "http://127.0.0.1:1", pathFilter: "/other" }));
      sub.get("/hello", (_request, response) => void response.json({ hello: "world" }));
      app.use("/sub", sub);
    });
    deepEqual(await (await fetch(`${url}/sub/hello`)).json(), { hello: "world" });
  },
);
inFile("e2e/http-server.spec.ts")("should work with raw node http RequestHandler", async (stage) => {
  const target = await stage.target(texts({ "/": "raw" }));
  const handler = createProxyMiddleware(stage, { target });
  equal(await text(await stage.target((request, response) => handler(request, response, () => {}))), "raw");
});
inFile("e2e/http2-server.spec.ts")(
  "proxies requests through an HTTP/2 server to a target, several at once",
  async (stage) => {
    const target = await stage.target(telling);
    const handler = createProxyMiddleware(stage, { target });
    const server = createHttp2Server((request, response) => handler(request as never, response as never, () => {}));
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    stage.after(async () => {
      client.destroy();
      server.close();
    });
    const bodies = await Promise.all(
      [1, 2, 3].map(
        async (at) => JSON.parse(await bodyOf(client.request({ ":path": `/${at}` }) as never)) as { url: string },
      ),
    );
    deepEqual(
      bodies.map(({ url }) => url),
      ["/1", "/2", "/3"],
    );
  },
);
const query = inFile("e2e/http-query.spec.ts");
query("should proxy QUERY method and uri-query to target", async (stage) => {
  const target = await stage.target(telling);
  const answer = await plain(await appWith(stage, { target }), {
    method: "QUERY",
    path: "/x?a=%20b",
    body: "q",
    headers: { "Content-Length": "1" },
  });
  const { method, url, body } = JSON.parse(answer.body);
  deepEqual([method, url, body], ["QUERY", "/x?a=%20b", "q"]);
});
query("should pass through 204, 400, 405 and 415 responses for QUERY requests", async (stage) => {
  const target = await stage.target(({ url }, response) => {
    response.writeHead(Number(url!.slice(1)), { "Accept-Query": "text/plain", Allow: "GET" }).end();
  });
  const url = await appWith(stage, { target });
  for (const code of [204, 400, 405, 415]) {
    const answer = await plain(`${url}/${code}`, { method: "QUERY" });
    deepEqual([answer.status, answer.headers["accept-query"]], [code, "text/plain"]);
  }
});
const ipv6 = inFile("e2e/ipv6.spec.ts");
ipv6("should proxy to an IPv6 target in brackets, with its query, named by a router or not", async (stage) => {
  const server = (await import("node:http")).createServer(telling);
  await new Promise<void>((ready, failed) => server.once("error", failed).listen(0, "::1", ready));
  stage.after(async () => server.close());
  const target = `http://[::1]:${(server.address() as AddressInfo).port}/base`;
  equal((await told(`${await appWith(stage, { target })}/x?a=%26`)).url, "/base/x?a=%26");
  equal((await told(`${await appWith(stage, { router: async () => target })}/x`)).url, "/base/x");
});
ipv6("should forward requests to ipv6 target using forward option", async (stage) => {
  const copies: string[] = [];
  const forward = await stage.target(({ url }, response) => {
    copies.push(url!);
    response.end();
  });
  const target = await stage.target(texts({ "/x": "answer" }));
  equal(await text(`${await appWith(stage, { target, forward })}/x`), "answer");
  for (let round = 0; copies.length === 0 && round < 100; round++) await new Promise((later) => setTimeout(later, 10));
  deepEqual(copies, ["/x"]);
});
const rewriting = inFile("e2e/path-rewriter.spec.ts");
rewriting('rules table and function: should remove "/foobar" from path', async (stage) => {
  const target = await stage.target(telling);
  const paths = [{ "^/foobar/api/": "/api/" }, (path: string) => path.replace("/foobar", "")];
  for (const pathRewrite of paths) {
    equal((await told(`${await appWith(stage, { target, pathRewrite })}/foobar/api/lorum`)).url, "/api/lorum");
  }
});
rewriting("function which returns undefined: should proxy with requested path", async (stage) => {
  const target = await stage.target(telling);
  equal((await told(`${await appWith(stage, { target, pathRewrite: () => undefined })}/api/lorum`)).url, "/api/lorum");
});
const routing = inFile("e2e/router.spec.ts");
routing("should work with a string, and with an async callback", async (stage) => {
  const [a, b] = [await stage.target(texts({ "/api": "A" })), await stage.target(texts({ "/api": "B" }))];
  for (const router of [() => b, async () => b])
    equal(await text(`${await appWith(stage, { target: a, router })}/api`), "B");
});
routing("should handle promise rejection in router", async (stage) => {
  let heard = "";
  const url = await appWith(stage, {
    router: () => Promise.reject(new Error("An error thrown in the router")),
    on: {
      error: (error, _request, response) => {
        heard = String((error.cause as Error).message);
        response.writeHead(502).end();
      },
    },
  });
  deepEqual([await status(url), heard], [502, "An error thrown in the router"]);
});
for (const [host, answer] of [
  ["alpha.localhost:6000", "A"],
  ["beta.localhost:6000", "B"],
  ["evilbeta.localhost:6000", "A"],
  ["localhost:6000", "C"],
  ["evillocalhost:6000", "A"],
] as const) {
  routing(`proxyTable, host "${host}"`, async (stage) => {
    const [a, b, c] = [
      await stage.target(texts({ "/api": "A" })),
      await stage.target(texts({ "/api": "B" })),
      await stage.target(texts({ "/api": "C" })),
    ];
    const router = { "alpha.localhost:6000": a, "beta.localhost:6000": b, "localhost:6000/api": c };
    equal(
      (await plain(`${await appWith(stage, { target: a, router })}/api`, { headers: { Host: host } })).body,
      answer,
    );
  });
}
const interceptor = inFile("e2e/response-interceptor.spec.ts");
interceptor("should return totally different response from target, with double bytes characters", async (stage) => {
  const target = await stage.target(
    (_request, response) => void response.setHeader("Content-Type", "image/png").end("PNG"),
  );
  const intercept: MiddlewareOptions["intercept"] = async (_body, _proxyResponse, _request, response) => {
    response.setHeader("content-type", "application/json; charset=utf-8");
    return JSON.stringify({ foo: "bar", favorite: "叉燒包" });
  };
  const answer = await fetch(await appWith(stage, { target, intercept }));
  equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
  deepEqual(await answer.json(), { foo: "bar", favorite: "叉燒包" });
});
interceptor("should proxy and return original headers from /cookies/set/cookie/monster", async (stage) => {
  const target = await stage.target(
    (_request, response) =>
      void response.writeHead(302, { "Set-Cookie": ["cookie=monster; Path=/"], Location: "/cookies" }).end(),
  );
  const intercept: MiddlewareOptions["intercept"] = async (body) => body;
  const { headers, status: code } = await fetch(await appWith(stage, { target, intercept }), { redirect: "manual" });
  deepEqual([code, headers.getSetCookie()], [302, ["cookie=monster; Path=/"]]);
});
for (const [coding, encode] of [
  ["brotli", brotliCompressSync],
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["zstd", zstdCompressSync],
] as const) {
  interceptor(`should return decompressed ${coding} response`, async (stage) => {
    const name = coding === "brotli" ? "br" : coding;
    const target = await stage.target(
      (_request, response) =>
        void response.writeHead(200, { "Content-Encoding": name }).end(encode(Buffer.from("packed"))),
    );
    const intercept: MiddlewareOptions["intercept"] = async (body) => `un${body}`;
    const answer = await plain(await appWith(stage, { target, intercept }));
    deepEqual([answer.body, answer.headers["content-encoding"]], ["unpacked", undefined]);
  });
}
interceptor(
  "should rewrite body without trailer/content-length conflict and preserve end-to-end headers",
  async (stage) => {
    const target = await stage.target((_request, response) => {
      response.writeHead(200, {
        Trailer: "X-Stream-Error",
        "Cache-Control": "private, max-age=60",
        "Set-Cookie": "cookie=monster",
      });
      response.write("streamed");
      response.end();
    });
    const answer = await plain(await appWith(stage, { target, intercept: async () => '{"ok":true}' }));
    const {
      trailer,
      "transfer-encoding": coding,
      "content-length": length,
      "cache-control": cache,
      "set-cookie": cookies,
    } = answer.headers;
    deepEqual(
      [trailer, coding, length, cache, cookies],
      [undefined, undefined, "11", "private, max-age=60", ["cookie=monster"]],
    );
  },
);
for (const code of [204, 304]) {
  interceptor(`should preserve ${code} and not fail on empty encoded body`, async (stage) => {
    const target = await stage.target(
      (_request, response) => void response.writeHead(code, { "Content-Encoding": "gzip", ETag: '"123"' }).end(),
    );
    const answer = await plain(await appWith(stage, { target, intercept: async (body) => body }));
    deepEqual([answer.status, answer.body, answer.headers["content-encoding"]], [code, "", undefined]);
    match(answer.headers.etag!, /"123"$/);
  });
}
cases.push(...socketCases);

export const httpProxyMiddleware: Suite = {
  project: "http-proxy-middleware",
  version: "4.2.0",
  source: "https://github.com/chimurai/http-proxy-middleware/tree/master/test",
  cases,
  files: httpProxyMiddlewareFiles,
};
