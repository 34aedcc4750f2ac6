import { PassThrough, Transform } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { httpGet } from "../../core/test/support/http-get.ts";
import { exchange, RawClient } from "../../core/test/support/raw-client.ts";
import type { ResponseHook } from "../src/index.ts";
import { startBackend } from "./support/backend.ts";
import { type CommonRequest, expressFrameworks, frameworks } from "./support/frameworks.ts";

type Hook = ResponseHook<CommonRequest>;

/** A page, zipped for those who take that, in pieces. */
const startPages = () =>
  startBackend("a", ({ url, method, headers }, response) => {
    if (url === "/missing") response.writeHead(404, { "X-Target": "1" }).end("none");
    else if (url === "/unchanged") response.writeHead(304, { ETag: '"1"' }).end();
    else if (url === "/many") response.end(Buffer.alloc(200_000, "x"));
    else if (url === "/cut") {
      response.writeHead(200, { "Content-Length": "100" }).write("half");
      setTimeout(() => response.destroy(), 20);
    } else {
      const zips = String(headers["accept-encoding"]).includes("gzip");
      const page = Buffer.from("<p>Old</p>");
      const body = zips ? gzipSync(page) : page;
      response.writeHead(200, {
        "Content-Type": "text/html",
        ETag: '"1"',
        ...(zips ? { "Content-Encoding": "gzip" } : {}),
      });
      if (method === "HEAD") response.end();
      else {
        response.write(body.subarray(0, 5));
        setImmediate(() => response.end(body.subarray(5)));
      }
    }
  });

describe.each(frameworks)("$name: onResponse", ({ startGateway }) => {
  it("rewrites bodies, whatever their content coding, and sends others as they come", async () => {
    const { url: target } = await startPages();
    const onResponse: Hook = async (response) => {
      if (response.headers["content-type"] !== "text/html") return undefined;
      return {
        body: (await response.text()).replace("Old", "Näw"),
        headers: { "X-From": response.target, etag: undefined },
      };
    };
    const { url } = await startGateway({ targets: [target], onResponse });
    const zipped = await fetch(url, { headers: { "Accept-Encoding": "gzip" } });
    expect(await zipped.text()).toBe("<p>Näw</p>");
    expect(Object.fromEntries(zipped.headers)).toMatchObject({ "content-encoding": "gzip", "x-from": target });
    const plain = await httpGet(url);
    expect(plain).toMatchObject({ body: "<p>Näw</p>", headers: { "content-length": "11" } });
    expect(plain.headers).not.toHaveProperty("etag");
    expect(await httpGet(`${url}/missing`)).toMatchObject({ status: 404, body: "none" });
    expect(await httpGet(`${url}/unchanged`)).toMatchObject({ status: 304, headers: { etag: '"1"' } });
    expect(await httpGet(url, { method: "HEAD" })).toMatchObject({ status: 200, body: "" });
    expect((await httpGet(`${url}/many`)).body).toHaveLength(200_000);
  });

  it("may look without touching, change the head alone, and stream", async () => {
    const { url: target } = await startPages();
    const seen: string[] = [];
    const hooks: Record<string, Hook> = {
      looks: async (response) => void seen.push(await response.text()),
      headAlone: () => ({ status: 299, headers: { "X-Head": "1" } }),
      streams: (response) => {
        const loud = new Transform({ transform: (piece, _, done) => done(null, String(piece).toUpperCase()) });
        return { body: response.stream().pipe(loud) };
      },
      replaces: () => ({ status: 503, body: "sorry", headers: { "content-encoding": undefined } }),
    };
    const { url } = await startGateway({
      targets: [target],
      onResponse: (response, request) => hooks[String(request.headers["x-hook"])]!(response, request),
    });
    const answered = async (hook: string, path = "/") => {
      const response = await fetch(url + path, { headers: { "X-Hook": hook, "Accept-Encoding": "gzip" } });
      return [response.status, await response.text()];
    };
    expect(await answered("looks")).toEqual([200, "<p>Old</p>"]);
    expect(seen).toEqual(["<p>Old</p>"]);
    expect(await answered("headAlone")).toEqual([299, "<p>Old</p>"]);
    expect(await answered("streams")).toEqual([200, "<P>OLD</P>"]);
    expect(await answered("streams", "/many")).toEqual([200, "X".repeat(200_000)]);
    expect(await answered("replaces", "/many")).toEqual([503, "sorry"]);
  });

  it("leaves a request to what comes next, on a status", async () => {
    const { url: target } = await startPages();
    const onResponse: Hook = ({ status }) => (status === 404 ? "next" : undefined);
    const { url, gateway } = await startGateway({ targets: [target], onResponse });
    const { status, headers, body } = await httpGet(`${url}/missing`);
    expect(status).toBe(404);
    expect([headers["x-target"], body === "none"]).toEqual([undefined, false]);
    expect((await httpGet(url)).status).toBe(200);
    expect(gateway.status().endpoints[0]).toMatchObject({ inFlight: 0, failures: 0 });
  });

  it("what fails in it is an error of the app's, what is too much or broken one of the target's", async () => {
    const { url: target } = await startPages();
    const errors: string[] = [];
    const hooks: Record<string, Hook> = {
      throws: () => {
        throw new Error("broken");
      },
      returnsNothing: (() => 7) as never,
      forgetsTheStream: async (response) => void (await response.stream().toArray()),
      holds: async (response) => ({ body: await response.bytes() }),
    };
    const { url, gateway } = await startGateway({
      targets: [target],
      limits: { maxRewrittenBytes: 1_000 },
      health: { passive: false, outlier: false },
      onResponse: (response, request) => hooks[String(request.headers["x-hook"])]!(response, request),
      onError: ({ code }) => errors.push(code),
    });
    const status = async (hook: string, path = "/") =>
      (await httpGet(url + path, { headers: { "X-Hook": hook } })).status;
    expect([await status("throws"), await status("returnsNothing"), await status("forgetsTheStream")]).toEqual([
      500, 500, 500,
    ]);
    expect([await status("holds", "/many"), await status("holds", "/cut")]).toEqual([502, 502]);
    expect(errors).toEqual(["LB_RULE", "LB_RULE", "LB_RULE", "LB_RESPONSE_TOO_LARGE", "LB_UPSTREAM_RESET"]);
    await eventually(() => gateway.status().endpoints[0]!.inFlight === 0, { what: "the leases end" });
  });

  it("a client that leaves while it takes its time ends the target's request", async () => {
    const { url: target, sockets } = await startPages();
    let called = false;
    let proceed = () => {};
    const onResponse: Hook = (response) => {
      called = true;
      return new Promise((resolve) => {
        proceed = () => resolve({ body: response.stream().pipe(new PassThrough()) });
      });
    };
    const { port, gateway } = await startGateway({ targets: [target], onResponse });
    const client = await RawClient.connect(port);
    client.send("GET /many HTTP/1.1\r\nHost: x\r\n\r\n");
    await eventually(() => called, { what: "the function to be called" });
    client.destroy();
    await eventually(() => sockets.size === 0, { what: "the target's connection ends" });
    proceed();
    expect(gateway.status().endpoints[0]).toMatchObject({ inFlight: 0, failures: 0 });
  });
});

describe.each(expressFrameworks)("$name: next", ({ startGateway }) => {
  it("what is mounted behind answers, and another gateway may", async () => {
    const { url: target } = await startPages();
    const other = await startBackend("other");
    const onResponse: Hook = async ({ status }) => (status === 404 ? "next" : undefined);
    const { url } = await startGateway({ targets: [target], onResponse, next: { targets: [other.url] } });
    expect(JSON.parse((await httpGet(`${url}/missing`)).body)).toMatchObject({ backend: "other", url: "/missing" });
  });
});

describe.each(frameworks)("$name: limits of bodies", ({ startGateway }) => {
  it("more than maxBodyBytes is 413, declared or not (BAD-INPUTS 80, 81)", async () => {
    const { url: target, seen } = await startBackend("a");
    const { port, gateway } = await startGateway({ targets: [target], limits: { maxBodyBytes: 10 } });
    const post = "POST / HTTP/1.1\r\nHost: x\r\n";
    expect((await exchange(port, `${post}Content-Length: 10\r\n\r\n0123456789`)).status).toBe(200);
    expect((await exchange(port, `${post}Content-Length: 11\r\n\r\n`)).status).toBe(413);
    const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`;
    expect((await exchange(port, `${chunked}a\r\n0123456789\r\n0\r\n\r\n`)).status).toBe(200);
    expect((await exchange(port, `${chunked}b\r\n01234567890\r\n`)).status).toBe(413);
    expect(seen.filter(({ body }) => body !== "0123456789")).toEqual([]);
    await eventually(() => gateway.status().endpoints[0]!.inFlight === 0, { what: "the leases end" });
    expect(gateway.status().endpoints[0]).toMatchObject({ failures: 0, health: "healthy" });
  });
});

describe.each(frameworks)("$name: interim responses", ({ startGateway }) => {
  it("early hints and processing go on, before the answer and as they come", async () => {
    let answer = () => {};
    const { url: target } = await startBackend("a", (_request, response) => {
      response.writeProcessing();
      response.writeEarlyHints({
        link: ["</a.css>; rel=preload; as=style", "</b.js>; rel=preload; as=script"],
        "x-hint": "1",
      });
      answer = () => response.end("body");
    });
    const { port } = await startGateway({ targets: [target] });
    const client = await RawClient.connect(port);
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await eventually(() => client.pending.includes("b.js"), { what: "the hints" });
    const hints = client.pending.toString();
    expect(hints).toMatch(/^HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 103 Early Hints\r\n/);
    expect(hints).toMatch(/x-hint: 1/i);
    answer();
    await client.closed;
    expect(client.pending.toString().slice(hints.length)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*body/);
  });
});
