import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { type HttpGetOptions, httpGet } from "../../core/test/support/http-get.ts";
import { exchange, RawClient } from "../../core/test/support/raw-client.ts";
import type { GatewayError } from "../src/index.ts";
import { deadUrl, readBody, type Seen, startBackend } from "./support/backend.ts";
import { frameworks } from "./support/frameworks.ts";

async function ask(url: string, options?: HttpGetOptions): Promise<Seen> {
  const { status, body } = await httpGet(url, options);
  if (status !== 200) throw new Error(`${status} ${body}`);
  return JSON.parse(body) as Seen;
}

describe.each(frameworks)("$name: relaying", ({ startGateway }) => {
  it("spreads requests over its targets by weight, keeping connections", async () => {
    const [a, b] = [await startBackend("a"), await startBackend("b")];
    const targets = [a.url, { url: b.url, weight: 2 }];
    const { url } = await startGateway({ targets, strategy: "weighted-round-robin" });
    for (let round = 0; round < 12; round++) await ask(`${url}/`);
    expect([a.seen.length, b.seen.length]).toEqual([4, 8]);
    expect([a.sockets.size, b.sockets.size]).toEqual([1, 1]);
  });

  it("takes the mount's prefix off and relays the rest byte for byte", async () => {
    const { url: target } = await startBackend("a");
    const { url } = await startGateway({ targets: [target], mount: "/api" });
    const path = "/a%2Fb/..%2f//c;p=1/%E2%82%AC?x=%00&y=[1]&&z";
    const { port } = new URL(url);
    const { body } = await exchange(Number(port), `GET /api${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect(JSON.parse(body.toString()).url).toBe(path);
    expect((await ask(`${url}/api?q`)).url).toBe("/?q");
  });

  it("answers also where the app's own onError throws", async () => {
    const uncaught = new Promise<unknown>((told) => {
      const before = process.listeners("uncaughtException");
      process.removeAllListeners("uncaughtException");
      process.once("uncaughtException", (error) => {
        for (const listener of before) process.on("uncaughtException", listener);
        told(error);
      });
    });
    const onError = () => {
      throw new Error("in onError");
    };
    const { url } = await startGateway({ targets: [await deadUrl()], onError });
    expect((await httpGet(url)).status).toBe(502);
    expect(await uncaught).toMatchObject({ message: "in onError" });
  });

  it("works where somebody has put something into Object.prototype", async () => {
    const { url: target } = await startBackend("a");
    const polluted = Object.prototype as { foo?: unknown };
    polluted.foo = "1";
    try {
      const { url } = await startGateway({ targets: [target], guards: { health: {}, rateLimit: { points: 100 } } });
      const { status, body } = await httpGet(url);
      expect([status, Object.keys(JSON.parse(body).headers)]).toEqual([200, expect.not.arrayContaining(["foo"])]);
    } finally {
      delete polluted.foo;
    }
  });

  it("relays the path as received, or as a function has it", async () => {
    const { url: target } = await startBackend("a");
    const original = await startGateway({ targets: [target], mount: "/api", path: "original" });
    expect((await ask(`${original.url}/api/x?y`)).url).toBe("/api/x?y");
    const path = (stripped: string) => stripped.replace(/^\/v1/, "/v2");
    const rewritten = await startGateway({ targets: [target], mount: "/api", path });
    expect((await ask(`${rewritten.url}/api/v1/x?y`)).url).toBe("/v2/x?y");
    const cut = await startGateway({ targets: [target], path: (stripped) => stripped.replace(/^\/v1/, "") });
    for (const [given, seen] of [
      ["/v1", "/"],
      ["/v1?a=1", "/?a=1"],
      ["/v1/x", "/x"],
    ] as const) {
      expect(JSON.parse((await httpGet(cut.url + given)).body).url).toBe(seen);
    }
    const wrong = await startGateway({ targets: [target], path: () => "no path" });
    expect((await httpGet(`${wrong.url}/`)).status).toBe(500);
  });

  it("an absolute-form target decides the host", async () => {
    const { url: target } = await startBackend("a");
    const { port } = await startGateway({ targets: [target] });
    const { body } = await exchange(port, "GET http://app.example/x//y?z HTTP/1.1\r\nHost: other.example\r\n\r\n");
    expect(JSON.parse(body.toString())).toMatchObject({ url: "/x//y?z", headers: { host: "app.example" } });
  });

  it("a host that is none, or has user information, is refused", async () => {
    const { url: target } = await startBackend("a");
    const { port } = await startGateway({ targets: [target] });
    for (const [absolute, host] of [
      ["http://me:secret@app.example/", "app.example"],
      ["http://a,b/", "app.example"],
      ["/", "a.example, b.example"],
      ["/", "me@app.example"],
    ]) {
      expect((await exchange(port, `GET ${absolute} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status).toBe(400);
    }
  });

  it("keeps the client's Host, or says the target's", async () => {
    const { url: target } = await startBackend("a");
    const kept = await startGateway({ targets: [target] });
    expect((await ask(`${kept.url}/`, { headers: { Host: "app.example" } })).headers["host"]).toBe("app.example");
    const changed = await startGateway({ targets: [target], changeOrigin: true });
    const { headers } = await ask(`${changed.url}/`, { headers: { Host: "app.example" } });
    expect(headers).toMatchObject({ host: new URL(target).host, "x-forwarded-host": "app.example" });
    const rules = { request: { Host: "inner.example" } };
    const ruled = await startGateway({ targets: [target], changeOrigin: true, headers: rules });
    expect((await ask(ruled.url)).headers["host"]).toBe("inner.example");
  });

  it("applies header rules to requests and responses", async () => {
    const { url: target } = await startBackend("a", (_request, response) => {
      response.writeHead(200, { Server: "secret", "X-Kept": "1", "X-Count": "1" }).end();
    });
    const told = await startBackend("b");
    const headers = {
      request: {
        Authorization: undefined,
        "X-Gateway": "lb",
        "X-Up": (value: string | undefined) => value?.toUpperCase(),
      },
      response: { Server: undefined, "X-Count": (value: string | undefined) => `${value}+1`, "X-Via": "lb" },
    };
    const sent = await startGateway({ targets: [told.url], headers });
    const seen = await ask(`${sent.url}/`, { headers: { Authorization: "Basic x", "X-Up": "a" } });
    expect(seen.headers).toMatchObject({ "x-gateway": "lb", "x-up": "A" });
    expect(seen.headers).not.toHaveProperty("authorization");
    const got = await startGateway({ targets: [target], headers, backendHeader: true });
    const answer = await httpGet(`${got.url}/`);
    expect(answer.headers).toMatchObject({ "x-kept": "1", "x-count": "1+1", "x-via": "lb" });
    expect(answer.headers).not.toHaveProperty("server");
    expect(answer.headers["x-backend-server"]).toBe(new URL(target).host);
  });

  it("a header rule that throws, or makes no header, costs its request alone", async () => {
    const { url: target } = await startBackend("a");
    const errors: string[] = [];
    const rule = (value: string | undefined) => {
      if (value === "throw") throw new Error("broken rule");
      return value === "split" ? "a\r\nInjected: 1" : value;
    };
    const { url } = await startGateway({
      targets: [target],
      headers: { request: { "X-Rule": rule } },
      onError: ({ code }) => errors.push(code),
    });
    expect((await httpGet(`${url}/`, { headers: { "X-Rule": "throw" } })).status).toBe(500);
    expect((await httpGet(`${url}/`, { headers: { "X-Rule": "split" } })).status).toBe(500);
    expect((await ask(`${url}/`, { headers: { "X-Rule": "fine" } })).headers["x-rule"]).toBe("fine");
    expect(errors).toEqual(["LB_RULE", "LB_RULE"]);
  });

  it("nothing of an answer is sent on whose head cannot be", async () => {
    const { url: target } = await startBackend("a", (_request, response) => {
      response.writeHead(200, { "X-Kept": "1", "Content-Length": "4" }).end("body");
    });
    const throws = () => {
      throw new Error("broken rule");
    };
    for (const rule of [throws, () => "a\r\nInjected: 1"]) {
      for (const passErrors of [false, true]) {
        const headers = { response: { "X-Rule": rule } };
        const { port, gateway } = await startGateway({ targets: [target], headers, passErrors });
        const { status, head } = await exchange(port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        expect(status).toBe(500);
        expect(head).not.toMatch(/x-kept|injected/i);
        await eventually(() => gateway.status().endpoints[0]!.inFlight === 0, { what: "the lease ends" });
      }
    }
  });

  it("relays status, reason, all cookies and fields, and answers without a body", async () => {
    const { url: target } = await startBackend("a", ({ url }, response) => {
      if (url === "/204") response.writeHead(204).end();
      else if (url === "/304") response.writeHead(304, { ETag: '"x"' }).end();
      else {
        const fields = ["Set-Cookie", "a=1", "Set-Cookie", "b=2", "Link", "<x>", "link", "<y>", "X-Mixed-Case", "1"];
        response.writeHead(418, "Short and stout", [...fields, "Connection", "X-Hop", "X-Hop", "1"]).end("tea");
      }
    });
    const { port, url } = await startGateway({ targets: [target] });
    const answer = await exchange(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(answer.head).toContain("HTTP/1.1 418 Short and stout\r\n");
    expect(answer.head).toContain("X-Mixed-Case: 1\r\n");
    expect(answer.headers).toMatchObject({ "set-cookie": "a=1, b=2", link: "<x>, <y>" });
    expect(answer.headers).not.toHaveProperty("x-hop");
    expect(answer.body.toString()).toBe("tea");
    expect((await httpGet(`${url}/`, { method: "HEAD" })).body).toBe("");
    expect(await httpGet(`${url}/204`)).toMatchObject({ status: 204, body: "" });
    expect(await httpGet(`${url}/304`)).toMatchObject({ status: 304, body: "", headers: { etag: '"x"' } });
  });

  it("relays the trailers of an answer", async () => {
    const { url: target } = await startBackend("a", (_request, response) => {
      response.writeHead(200, { Trailer: "X-Sum" });
      response.write("body");
      response.addTrailers({ "X-Sum": "42" });
      response.end();
    });
    const { port } = await startGateway({ targets: [target] });
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTE: trailers\r\n\r\n");
    await client.closed;
    expect(client.pending.toString()).toMatch(/body\r\n0\r\nX-Sum: 42\r\n\r\n$/);
  });

  it("streams 20 MB both ways unchanged", async () => {
    const { url: target } = await startBackend("a", (request, response) => void request.pipe(response));
    const { url } = await startGateway({ targets: [target] });
    const bytes = randomBytes(20_000_000);
    for (const length of [true, false]) {
      const echoed = await fetch(url, {
        method: "POST",
        body: length ? bytes : new Blob([bytes]).stream(),
        duplex: "half",
      } as RequestInit);
      const sum = createHash("sha256").update(Buffer.from(await echoed.arrayBuffer()));
      expect(sum.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
    }
  });

  it("a slow reader holds the target back", async () => {
    let written = 0;
    const { url: target } = await startBackend("a", (_request, response) => {
      const piece = Buffer.alloc(65_536);
      const fill = () => {
        while (!response.destroyed && response.write(piece)) written += piece.length;
      };
      response.on("drain", fill);
      fill();
    });
    const { port } = await startGateway({ targets: [target] });
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((come) => socket.once("readable", come));
    // Until the socket buffers between the three are full, and nothing moves any more.
    let before = -1;
    await eventually(
      async () => {
        const still = written === before;
        before = written;
        await new Promise((later) => setTimeout(later, 100));
        return still;
      },
      { what: "a target that is held back" },
    );
    expect(written).toBeLessThan(30_000_000);
    socket.destroy();
  });

  it("passes server-sent events on as they come, and the head before the first one", async () => {
    let send: (text: string) => void = () => {};
    const { url: target } = await startBackend("a", (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
      send = (text) => response.write(text);
    });
    const { url } = await startGateway({ targets: [target] });
    const response = await fetch(url);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (const text of ["data: 1\n\n", "data: 2\n\n"]) {
      send(text);
      expect((await reader.read()).value).toBe(text);
    }
    await reader.cancel();
  });

  it("relays bodies of methods that seldom have one, framed as they were", async () => {
    const { url: target, seen } = await startBackend("a");
    const { port } = await startGateway({ targets: [target] });
    // Were the chunks sent without their framing, the target would take them for a request of their own.
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    const chunked = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;
    for (const method of ["DELETE", "OPTIONS", "GET", "POST"]) {
      const head = `${method} /${method} HTTP/1.1\r\nHost: x\r\n`;
      const answer = await exchange(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunked}`);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ method, body: smuggled });
      const whole = await exchange(port, `${head}Content-Length: 3\r\n\r\nabc`);
      expect(JSON.parse(whole.body.toString())).toMatchObject({ method, body: "abc" });
      const none = await exchange(port, `${head}Content-Length: 0\r\n\r\n`);
      expect(JSON.parse(none.body.toString())).toMatchObject({ method, body: "" });
    }
    expect(seen.some(({ url }) => url === "/smuggled")).toBe(false);
  });

  it("a client that leaves ends its request at the target, at any moment", async () => {
    const closed: string[] = [];
    const { url: target, seen } = await startBackend("a", (request, response) => {
      const { url = "" } = request;
      response.once("close", () => closed.push(url));
      if (url === "/answering") response.writeHead(200).write("half");
    });
    const { port, gateway } = await startGateway({ targets: [target] });
    const requests = [
      "GET /waiting HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /answering HTTP/1.1\r\nHost: x\r\n\r\n",
      "POST /sending HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
    ];
    for (const [index, bytes] of requests.entries()) {
      const client = await RawClient.connect(port);
      client.send(bytes);
      await eventually(() => seen.length > index, { what: "the request at the target" });
      client.destroy();
      await eventually(() => closed.length > index, { what: `the end of ${bytes}` });
    }
    expect(closed).toEqual(["/waiting", "/answering", "/sending"]);
    const [endpoint] = gateway.status().endpoints;
    expect(endpoint).toMatchObject({ inFlight: 0, failures: 0, health: "healthy" });
  });

  it("an answer that comes before the whole upload is relayed, and the connection goes on", async () => {
    const { url: target } = await startBackend("a", (request, response) => {
      if (request.url === "/refuse") response.writeHead(413, { Connection: "close" }).end("too much");
      else response.end("next");
    });
    const { port } = await startGateway({ targets: [target] });
    const client = await RawClient.connect(port);
    client.send(`POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(10_000)}`);
    expect((await client.response()).status).toBe(413);
    client.send(`${"x".repeat(990_000)}GET /next HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect((await client.response()).body.toString()).toBe("next");
    client.destroy();
  });

  it("an answer that breaks off is seen to", async () => {
    const { url: target } = await startBackend("a", (request, response) => {
      response.writeHead(200, request.url === "/length" ? { "Content-Length": "100" } : {});
      response.write("half");
      setImmediate(() => response.destroy());
    });
    const { url, gateway } = await startGateway({ targets: [target], health: { passive: false, outlier: false } });
    for (const path of ["/length", "/chunked"]) {
      const cut = new Promise((resolve, reject) => {
        const sent = httpRequest(url + path, { agent: false }, (answer) => {
          readBody(answer).then(reject, resolve);
        });
        sent.on("error", resolve).end();
      });
      expect(await cut).toMatchObject({ code: "ECONNRESET" });
    }
    expect(gateway.status().endpoints[0]).toMatchObject({ inFlight: 0, failures: 2 });
  });

  it("reuses no connection that an endpoint is about to close", async () => {
    const { url: target, sockets } = await startBackend("a");
    const { url } = await startGateway({ targets: [target] });
    for (let round = 0; round < 5; round++) {
      await ask(`${url}/`);
      for (const socket of sockets) socket.end();
      expect((await ask(`${url}/`)).backend).toBe("a");
    }
  });

  it("takes targets of a Unix socket", async () => {
    const path = `/tmp/lb-express-${process.pid}-${randomBytes(4).toString("hex")}.sock`;
    await startBackend("a", undefined, path);
    const { url } = await startGateway({ targets: [`unix:${path}`], backendHeader: true });
    const { status, headers } = await httpGet(`${url}/`);
    expect([status, headers["x-backend-server"]]).toEqual([200, path]);
  });

  it("tells onError which request failed, and why", async () => {
    const { url: target } = await startBackend("a", (request) => void request.socket.destroy());
    const told: [string, string | undefined][] = [];
    const { url } = await startGateway({
      targets: [target],
      onError: (error, request) => told.push([(error as GatewayError).code, request?.url]),
    });
    expect((await httpGet(`${url}/x`)).status).toBe(502);
    expect(told).toEqual([["LB_UPSTREAM_RESET", "/x"]]);
  });
});
