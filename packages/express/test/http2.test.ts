import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type IncomingHttpHeaders,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import fastify from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../../core/test/support/eventually.ts";
import { lbFastify } from "../src/fastify.ts";
import { type BalanceOptions, balance, type ResponseHook } from "../src/index.ts";
import { startBackend } from "./support/backend.ts";

interface Answer {
  readonly headers: IncomingHttpHeaders & { readonly ":status"?: number | undefined };
  readonly body: string;
  readonly rstCode: number;
  readonly hints: readonly IncomingHttpHeaders[];
  readonly trailers: IncomingHttpHeaders;
}

function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  return new Promise((resolve) => {
    let headers: Answer["headers"] = {};
    let trailers: IncomingHttpHeaders = {};
    const hints: IncomingHttpHeaders[] = [];
    let body = "";
    stream.on("headers", (interim) => hints.push(interim));
    stream.on("response", (answer) => {
      headers = answer;
    });
    stream.on("trailers", (fields) => {
      trailers = fields;
    });
    stream.setEncoding("utf8").on("data", (text) => {
      body += text;
    });
    stream.on("error", () => {});
    stream.on("close", () => resolve({ headers, body, rstCode: stream.rstCode ?? 0, hints, trailers }));
  });
}

function session(port: number): ClientHttp2Session {
  const client = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => client.destroy());
  return client;
}

const ask = (client: ClientHttp2Session, headers: Record<string, string>, body?: string): Promise<Answer> => {
  const stream = client.request({ ":authority": "app.example", ...headers }, { endStream: body === undefined });
  const answer = answerOf(stream);
  if (body !== undefined) stream.end(body);
  return answer;
};

/** Servers of HTTP/2 with a gateway in them. Express cannot be one. */
const servers: Record<string, (options: BalanceOptions<unknown>) => Promise<number>> = {
  "node:http2": async (options) => {
    const gateway = balance(options);
    const server = createServer((request, response) => gateway(request as never, response as never, () => {}));
    onTestFinished(async () => {
      server.close();
      await gateway.close();
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    return (server.address() as AddressInfo).port;
  },
  "Fastify with http2": async (options) => {
    const app = fastify({ http2: true });
    await app.register(lbFastify, options as never);
    await app.listen({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => app.close());
    return (app.server.address() as AddressInfo).port;
  },
};

describe.each(Object.entries(servers))("%s", (_name, start) => {
  it("requests of HTTP/2 are relayed, with bodies whose length is not told", async () => {
    const { url: target } = await startBackend("a");
    const client = session(await start({ targets: [target] }));
    const { headers, body } = await ask(client, { ":path": "/x?y", cookie: "a=1" });
    expect(headers[":status"]).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      method: "GET",
      url: "/x?y",
      headers: {
        host: "app.example",
        "x-forwarded-host": "app.example",
        "x-forwarded-for": "127.0.0.1",
        cookie: "a=1",
      },
    });
    expect(Object.keys(JSON.parse(body).headers).filter((name) => name.startsWith(":"))).toEqual([]);
    for (const sent of ["hello", "x".repeat(9_000)]) {
      const answer = await ask(client, { ":method": "POST", ":path": "/" }, sent);
      expect(JSON.parse(answer.body)).toMatchObject({ method: "POST", body: sent });
    }
    const many = await Promise.all(Array.from({ length: 20 }, (_, at) => ask(client, { ":path": `/${at}` })));
    expect(many.map((answer) => JSON.parse(answer.body).url)).toEqual(many.map((_, at) => `/${at}`));
  });

  it("answers keep their cookies, trailers and interim responses, and lose what is about a connection", async () => {
    const { url: target } = await startBackend("a", (request, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.writeHead(200, "Fine", {
        "Set-Cookie": ["a=1", "b=2"],
        "X-A": "1",
        Trailer: "X-Sum",
        "Keep-Alive": "timeout=5",
      });
      response.write(request.url);
      response.addTrailers({ "X-Sum": "42" });
      response.end();
    });
    const client = session(await start({ targets: [target], headers: { response: { "x-b": () => "2" } } }));
    const { headers, body, hints, trailers } = await ask(client, { ":path": "/x" });
    expect(headers).toMatchObject({ ":status": 200, "set-cookie": ["a=1", "b=2"], "x-a": "1", "x-b": "2" });
    expect([headers["keep-alive"], headers.connection, body]).toEqual([undefined, undefined, "/x"]);
    expect(hints).toMatchObject([{ ":status": 103, link: "</a.css>; rel=preload" }]);
    expect(trailers).toMatchObject({ "x-sum": "42" });
  });

  it("failures are answered, an answer that breaks off is reset, and whoever leaves is no failure", async () => {
    const {
      url: target,
      seen,
      sockets,
    } = await startBackend("a", ({ url }, response) => {
      if (url === "/cut") {
        response.writeHead(200, { "Content-Length": "100" }).write("half");
        setTimeout(() => response.destroy(), 20);
      } else if (url === "/refused") response.destroy();
    });
    const errors: string[] = [];
    const port = await start({
      targets: [target],
      retry: false,
      limits: { maxBodyBytes: 5 },
      health: { passive: false, outlier: false },
      onError: ({ code }) => errors.push(code),
    });
    const client = session(port);
    expect(await ask(client, { ":path": "/refused" })).toMatchObject({ headers: { ":status": 502 }, rstCode: 0 });
    expect(await ask(client, { ":path": "/cut" })).toMatchObject({
      headers: { ":status": 200 },
      body: "half",
      rstCode: 2,
    });
    expect((await ask(client, { ":method": "POST", ":path": "/" }, "too much")).headers[":status"]).toBe(413);
    expect((await ask(client, { ":method": "TRACE", ":path": "/" })).headers[":status"]).toBe(405);
    expect(errors).toEqual(["LB_UPSTREAM_RESET", "LB_BODY_TOO_LARGE", "LB_METHOD"]);
    const before = seen.length;
    const left = client.request({ ":path": "/waits" });
    left.on("error", () => {});
    await eventually(() => seen.length > before, { what: "the request at the target" });
    left.close(8);
    await eventually(() => sockets.size === 0, { what: "the target's connection ends" });
    expect(errors).toHaveLength(3);
  });

  it("onResponse rewrites", async () => {
    const { url: target } = await startBackend("a");
    const onResponse: ResponseHook = async (response) => {
      if (response.status !== 200) return undefined;
      const { url } = JSON.parse(await response.text());
      return { body: url === "/stream" ? Readable.from(["str", "eam"]) : `was ${url}` };
    };
    const client = session(await start({ targets: [target], onResponse }));
    expect(await ask(client, { ":path": "/x" })).toMatchObject({ body: "was /x", headers: { "content-length": "6" } });
    expect(await ask(client, { ":path": "/stream" })).toMatchObject({ body: "stream" });
  });
});
