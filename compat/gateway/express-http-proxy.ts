// Adapted from the tests of express-http-proxy (MIT, Copyright (c) 2014 villadora).
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import express from "express";
import { type ExpressProxyOptions, proxy } from "./adapters.ts";
import { plain, telling, texts, told } from "./answers.ts";
import { expressHttpProxyFiles } from "./files.ts";
import type { Case, Stage, Suite } from "./suite.ts";

const cases: Case[] = [];
const inFile = (file: string) => (name: string, run: Case["run"], differs?: string) =>
  cases.push({ file, name, run, ...(differs === undefined ? {} : { differs }) });
const proxied = (stage: Stage, host: string, options: ExpressProxyOptions = {}, path = "/") =>
  stage.express((app) => {
    app.use(path, proxy(stage, host, options));
    app.use((_request, response) => void response.status(203).send("next handler"));
  });
const json = { "Content-Type": "application/json" };

inFile("catchingErrors.js")("when express catches errors", async (stage) => {
  let heard = "";
  const url = await stage.express((app) => {
    app.use(proxy(stage, "127.0.0.1:1"));
    app.use((error: Error, _request: unknown, response: express.Response, _next: unknown) => {
      heard = error.message;
      response.status(500).send();
    });
  });
  equal((await fetch(url)).status, 500);
  match(heard, /could not be connected to/);
});
inFile("cookies.js")("they are copied to the proxy request", async (stage) => {
  equal(
    (await told(await proxied(stage, await stage.target(telling)), { headers: { Cookie: "myApp-token=12345667" } }))
      .headers["cookie"],
    "myApp-token=12345667",
  );
});
const secret = (stage: Stage) =>
  stage.target(
    (_request, response) => void response.writeHead(200, { "x-my-secret-header": "mighty-mouse", "x-kept": "1" }).end(),
  );
const decorating = inFile("decorateUserResHeaders.js");
decorating("can remove headers from the response, and add new ones", async (stage) => {
  const userResHeaderDecorator: ExpressProxyOptions["userResHeaderDecorator"] = (headers) => {
    delete headers["x-my-secret-header"];
    headers["boltedonheader"] = "franky";
    return headers;
  };
  const { headers } = await fetch(
    `${await proxied(stage, await secret(stage), { userResHeaderDecorator }, "/proxy")}/proxy`,
  );
  deepEqual(
    [headers.get("x-my-secret-header"), headers.get("boltedonheader"), headers.get("x-kept")],
    [null, "franky", "1"],
  );
});
decorating("can copy request headers to response with new names, and with the same", async (stage) => {
  const userResHeaderDecorator: ExpressProxyOptions["userResHeaderDecorator"] = (headers, request) => ({
    ...headers,
    "x-proxied-custom-header": request.headers["x-custom-header"] as string,
    "x-custom-header": request.headers["x-custom-header"] as string,
  });
  const { headers } = await fetch(await proxied(stage, await secret(stage), { userResHeaderDecorator }), {
    headers: { "X-Custom-Header": "custom" },
  });
  deepEqual([headers.get("x-proxied-custom-header"), headers.get("x-custom-header")], ["custom", "custom"]);
});
inFile("defineMultipleProxyHandlers.js")(
  "two handlers, each for its own, and a fallback when the primary skips to next",
  async (stage) => {
    const [one, two] = [
      await stage.target(texts({ "/": "one" })),
      await stage.target(texts({ "/": "two", "/missing": "fallback" })),
    ];
    const url = await stage.express((app) => {
      app.use("/two", proxy(stage, two));
      app.use("/", proxy(stage, one, { skipToNextHandlerFilter: ({ statusCode }) => statusCode === 404 }));
      app.use("/", proxy(stage, two));
    });
    const text = async (path: string) => (await fetch(url + path)).text();
    deepEqual([await text("/"), await text("/two"), await text("/missing")], ["one", "two", "fallback"]);
  },
);
for (const promise of [false, true]) {
  for (const goesOn of [true, false]) {
    inFile("filter.js")(`${promise ? "promise form: " : ""}when filter function returns ${goesOn}`, async (stage) => {
      const filter = () => (promise ? Promise.resolve(goesOn) : goesOn);
      equal((await fetch(await proxied(stage, await stage.target(telling), { filter }))).status, goesOn ? 200 : 203);
    });
  }
}
for (const [file, method] of [
  ["getBody.js", "DELETE"],
  ["postBody.js", "POST"],
] as const) {
  inFile(file)("should deliver the query, the body, and an empty one", async (stage) => {
    const url = await proxied(stage, await stage.target(telling));
    for (const body of ['{"a":1}', "", "{}"]) {
      const seen = await told(`${url}/x?some=query`, { method, headers: json, body });
      deepEqual([seen.url, seen.body], ["/x?some=query", body]);
    }
  });
  inFile(file)("should deliver a body that a parser read before", async (stage) => {
    const target = await stage.target(telling);
    const url = await stage.express((app) => void app.use(express.json(), proxy(stage, target)));
    equal((await told(url, { method, headers: json, body: '{"some":"json"}' })).body, '{"some":"json"}');
  });
}
const failing = inFile("handleProxyError.js");
failing("should pass 504 timeout directly to client when emitted by proxy", async (stage) => {
  equal((await fetch(await proxied(stage, await stage.target(() => {}), { timeout: 100 }))).status, 504);
});
for (const code of [504, 500]) {
  failing(`should pass ${code} directly to client when emitted by the target`, async (stage) => {
    equal(
      (
        await fetch(
          await proxied(stage, await stage.target((_request, response) => void response.writeHead(code).end())),
        )
      ).status,
      code,
    );
  });
}
failing("should allow custom handling of timeout errors, and transforming error responses", async (stage) => {
  const proxyErrorHandler: ExpressProxyOptions["proxyErrorHandler"] = (error, response) => {
    response.statusCode = 418;
    response.end(error.code);
  };
  const answer = await fetch(await proxied(stage, await stage.target(() => {}), { timeout: 100, proxyErrorHandler }));
  deepEqual([answer.status, await answer.text()], [418, "LB_UPSTREAM_TIMEOUT"]);
});
inFile("headers.js")("passed on request, and user defined headers to the proxy target server", async (stage) => {
  const proxyReqOptDecorator: ExpressProxyOptions["proxyReqOptDecorator"] = (options) => ({
    headers: { ...options.headers, "x-option": "1" },
  });
  const { headers } = await told(await proxied(stage, await stage.target(telling), { proxyReqOptDecorator }), {
    headers: { "X-Own": "value" },
  });
  deepEqual([headers["x-own"], headers["x-option"], headers["x-forwarded-for"]], ["value", "1", "127.0.0.1"]);
});
inFile("host.js")("host can be a dynamic function, and an ip address with a port", async (stage) => {
  const [one, two] = [await stage.target(texts({ "/": "one" })), await stage.target(texts({ "/": "two" }))];
  let asked = 0;
  const url = await stage.express((app) => void app.use(proxy(stage, () => new URL(asked++ === 0 ? one : two).host)));
  deepEqual([await (await fetch(url)).text(), await (await fetch(url)).text()], ["one", "two"]);
});
for (const skips of [true, false]) {
  inFile("maybeSkipToNextHandler.js")(`skipToNextHandlerFilter returns ${skips}`, async (stage) => {
    equal(
      (await fetch(await proxied(stage, await stage.target(telling), { skipToNextHandlerFilter: async () => skips })))
        .status,
      skips ? 203 : 200,
    );
  });
}
inFile("middlewareCompatibility.js")("should use req.body when defined by previous middleware", async (stage) => {
  const target = await stage.target(telling);
  const url = await stage.express((app) => {
    app.use(express.json(), (request, _response, next) => {
      request.body = { text: "the quick brown" };
      next();
    });
    app.use(proxy(stage, target));
  });
  equal((await told(url, { method: "POST", headers: json, body: "{}" })).body, '{"text":"the quick brown"}');
});
inFile("params.js")("repeats query params to proxy server", async (stage) => {
  equal((await told(`${await proxied(stage, await stage.target(telling))}/get?a=1&b=2&c=3`)).url, "/get?a=1&b=2&c=3");
});
inFile("path.js")("uses path component from inbound request, and a host from the session", async (stage) => {
  const target = await stage.target(telling);
  const url = await stage.express(
    (app) =>
      void app.use(
        "/somePath",
        proxy(stage, (request) => String(request.headers["x-host"] ?? target)),
      ),
  );
  equal((await told(`${url}/somePath/get`)).url, "/get");
});
inFile("port.js")("on the host string, or of what a function returns", async (stage) => {
  const { host } = new URL(await stage.target(texts({ "/": "this port" })));
  equal(await (await fetch(await proxied(stage, host))).text(), "this port");
  equal(await (await fetch(await stage.express((app) => void app.use(proxy(stage, () => host))))).text(), "this port");
});
for (const preserveHostHdr of [true, false]) {
  inFile("preserveHostHdr.js")(`host is ${preserveHostHdr ? "" : "not "}passed forward`, async (stage) => {
    const target = await stage.target(telling);
    const { body } = await plain(await proxied(stage, target, { preserveHostHdr }), {
      headers: { Host: "hamburger-helper" },
    });
    equal(JSON.parse(body).headers.host, preserveHostHdr ? "hamburger-helper" : new URL(target).host);
  });
}
for (const promise of [false, true]) {
  inFile("proxyReqOptDecorator.js")(
    `${promise ? "a Promise" : "a simple function"}: can modify headers`,
    async (stage) => {
      const proxyReqOptDecorator: ExpressProxyOptions["proxyReqOptDecorator"] = ({ headers }, request) => {
        const made = {
          headers: { ...headers, "user-agent": "test user agent", "x-ip": request.socket.remoteAddress! },
        };
        return promise ? Promise.resolve(made) : made;
      };
      const { headers } = await told(await proxied(stage, await stage.target(telling), { proxyReqOptDecorator }));
      deepEqual([headers["user-agent"], headers["x-ip"]], ["test user agent", "127.0.0.1"]);
    },
  );
}
inFile("proxyReqOptDecorator.js")(
  "when the Promise is rejected: returns err to host application for processing",
  async (stage) => {
    let cause: unknown;
    const url = await stage.express((app) => {
      app.use(
        proxy(stage, "127.0.0.1:1", { proxyReqOptDecorator: () => Promise.reject("An arbitrary rejection message.") }),
      );
      app.use((error: Error, _request: unknown, response: express.Response, _next: unknown) => {
        cause = error.cause;
        response.status(500).send();
      });
    });
    equal((await fetch(url)).status, 500);
    equal(cause, "An arbitrary rejection message.");
  },
);
inFile("proxyReqPathResolver.js")(
  "the proxy request path is the result of the function, which has access to request object",
  async (stage) => {
    const proxyReqPathResolver: ExpressProxyOptions["proxyReqPathResolver"] = async (request) =>
      `/${request.method}${request.url}`;
    equal(
      (await told(`${await proxied(stage, await stage.target(telling), { proxyReqPathResolver })}/x?y`)).url,
      "/GET/x?y",
    );
  },
);
inFile("rawBodyLimit.js")(
  "should not fail on large limit, and fail with an error when exceeding limit",
  async (stage) => {
    const target = await stage.target(telling);
    const post = { method: "POST", body: "x".repeat(50_000) };
    equal((await fetch(await proxied(stage, target, { limitBytes: 1_000_000 }), post)).status, 200);
    equal((await fetch(await proxied(stage, target, { limitBytes: 1_000 }), post)).status, 413);
  },
);
inFile("reqBodyEncoding.js")("image uploads are not set to an encoding", async (stage) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
  const target = await stage.target((request, response) => void request.pipe(response));
  const answer = await fetch(await proxied(stage, target), {
    method: "POST",
    headers: { "Content-Type": "image/png" },
    body: bytes,
  });
  ok(Buffer.from(await answer.arrayBuffer()).equals(bytes));
});
inFile("resolveProxyReqPath.js")("default, synchronous and asynchronous resolver", async (stage) => {
  const target = await stage.target(telling);
  equal((await told(`${await proxied(stage, target)}/123?45=67`)).url, "/123?45=67");
  for (const made of ["/custom/path", Promise.resolve("/custom/path")]) {
    equal((await told(`${await proxied(stage, target, { proxyReqPathResolver: () => made })}/x`)).url, "/custom/path");
  }
});
const lengths = inFile("setsContentLength.js");
lengths(
  "a `GET` request should have a content-length header, and it should be 0",
  async (stage) => {
    const seen = await told(await proxied(stage, await stage.target(telling)));
    equal(seen.headers["content-length"], "0");
  },
  "a GET without a body has no Content-Length: it says nothing that its absence does not (RFC 9110 §8.6)",
);
lengths("a `POST` request should have a content-length header, and it should be accurate", async (stage) => {
  const seen = await told(await proxied(stage, await stage.target(telling)), { method: "POST", body: "größe" });
  equal(seen.headers["content-length"], String(Buffer.byteLength("größe")));
});
inFile("status.js")("proxies status code: 304, 404, 200, 401, 500", async (stage) => {
  const url = await proxied(
    stage,
    await stage.target(({ url: path }, response) => void response.writeHead(Number(path!.slice(1))).end()),
  );
  for (const code of [304, 404, 200, 401, 500]) equal((await fetch(`${url}/${code}`)).status, code);
});
inFile("streaming.js")("should receive response in chunks before request completion", async (stage) => {
  let end = () => {};
  const target = await stage.target((_request, response) => {
    response.write("0");
    end = () => response.end("1");
  });
  const reader = (await fetch(await proxied(stage, target))).body!.getReader();
  equal(Buffer.from((await reader.read()).value!).toString(), "0");
  end();
  equal(Buffer.from((await reader.read()).value!).toString(), "1");
});
const timing = inFile("timeout.js");
for (const method of ["GET", "POST", "PUT"]) {
  timing(`should fail with 504 when timeout is lower than server response time: ${method}`, async (stage) => {
    equal((await fetch(await proxied(stage, await stage.target(() => {}), { timeout: 100 }), { method })).status, 504);
  });
}
timing("should succeed when timeout is higher than server response time, or very large", async (stage) => {
  const target = await stage.target((_request, response) => void setTimeout(() => response.end(), 50));
  for (const timeout of [2_000, 1_000_000]) equal((await fetch(await proxied(stage, target, { timeout }))).status, 200);
});
timing(
  "timeouts of 0 have no effect",
  async (stage) => {
    equal((await fetch(await proxied(stage, await stage.target(telling), { timeout: 0 }))).status, 200);
  },
  "0 is refused with a remedy: who means no time-out says a long one",
);
inFile("urlParsing.js")("can parse a url with a port, even with a trailing slash", async (stage) => {
  const target = await stage.target(telling);
  for (const host of [target, `${target}/`]) equal((await fetch(await proxied(stage, host))).status, 200);
});
const results = inFile("userResDecorator.js");
results("when handling a 304: skips any handling", async (stage) => {
  const target = await stage.target((_request, response) => void response.writeHead(304).end());
  const userResDecorator = () => {
    throw new Error("expected to never get here because this step should be skipped for 304");
  };
  equal((await fetch(await proxied(stage, target, { userResDecorator }))).status, 304);
});
for (const promise of [false, true]) {
  results(`can modify the response data${promise ? ", with promises" : ""}, zipped or not`, async (stage) => {
    const target = await stage.target(({ headers }, response) => {
      if (headers["accept-encoding"] === "gzip")
        response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync('{"a":1}'));
      else response.end('{"a":1}');
    });
    const userResDecorator: ExpressProxyOptions["userResDecorator"] = ({ headers }, body) => {
      const made = JSON.stringify({ ...JSON.parse(String(body)), intercepted: true, from: headers["x-none"] });
      return promise ? Promise.resolve(made) : made;
    };
    const url = await proxied(stage, target, { userResDecorator });
    for (const coding of ["gzip", "identity"]) {
      deepEqual(await (await fetch(url, { headers: { "Accept-Encoding": coding } })).json(), {
        a: 1,
        intercepted: true,
      });
    }
  });
}
results("can change the location of a redirect", async (stage) => {
  const target = await stage.target(
    ({ headers }, response) =>
      void response.writeHead(302, { Location: `http://${headers.host}/proxied/redirect/url` }).end(),
  );
  const { headers } = await fetch(await proxied(stage, target), { redirect: "manual" });
  equal(headers.get("location"), "/proxied/redirect/url");
});
for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
  inFile("verbs.js")(`should proxy ${method}`, async (stage) => {
    const body = method === "GET" ? {} : { body: "mypost=hello" };
    equal((await told(await proxied(stage, await stage.target(telling)), { method, ...body })).method, method);
  });
}

export const expressHttpProxy: Suite = {
  project: "express-http-proxy",
  version: "2.1.2",
  source: "https://github.com/villadora/express-http-proxy/tree/master/test",
  cases,
  files: expressHttpProxyFiles,
};
