// HTTP/2 on the port with TLS, as its clients see it: Node's, curl and nghttp. What they should not send: http2-floods and http2-bad-inputs.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { ClientHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { WebSocketServer } from "ws";
import { eventually } from "./support/eventually.ts";
import { answerOn, ask, openSession, startHttp2Front } from "./support/http2-front.ts";
import { ManualClock } from "./support/manual-clock.ts";

const run = promisify(execFile);

/** Answers with what it sees of the request. */
const mirror: RequestListener = (request, response) => {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on("end", () => {
    const { method, url, httpVersion, rawHeaders, trailers } = request;
    response.end(JSON.stringify({ method, url, httpVersion, fields: rawHeaders, trailers, bytes }));
  });
};

/** The values of a field as the app saw it. */
function seen(body: string, name: string): string[] {
  const { fields } = JSON.parse(body) as { fields: string[] };
  return fields.filter((_, at) => at % 2 === 1 && fields[at - 1]!.toLowerCase() === name);
}

describe("requests", () => {
  test("are ordinary ones of HTTP/1.1 to the app", async () => {
    const { httpsPort } = await startHttp2Front(mirror);
    const session = await openSession(httpsPort);
    const fields = { ":path": "/a?b=c", "x-list": ["1", "2"], cookie: ["a=1", "b=2"], te: "trailers" };
    const { status, body } = await ask(session, fields);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ method: "GET", url: "/a?b=c", httpVersion: "1.1", bytes: 0 });
    expect(seen(body, "host")).toEqual([`127.0.0.1:${httpsPort}`]);
    expect(seen(body, "cookie")).toEqual(["a=1; b=2"]);
    expect(seen(body, "x-list")).toEqual(["1", "2"]);
    expect(seen(body, "te")).toEqual(["trailers"]);
    expect(seen(body, "x-forwarded-proto")).toEqual(["https"]);
    expect(seen(body, "x-forwarded-for")).toEqual(["127.0.0.1"]);
    expect(seen(body, "transfer-encoding")).toEqual([]);
  });

  test("bodies pass, with and without a declared length, and trailers behind them", async () => {
    const { httpsPort } = await startHttp2Front(mirror);
    const session = await openSession(httpsPort);
    const body = Buffer.alloc(3_000_000, "b");
    const sized = await ask(session, { ":method": "POST", "content-length": `${body.length}` }, body);
    expect(JSON.parse(sized.body)).toMatchObject({ method: "POST", bytes: body.length });
    const unsized = await ask(session, { ":method": "PUT" }, body);
    expect(JSON.parse(unsized.body)).toMatchObject({ method: "PUT", bytes: body.length });
    expect(seen(unsized.body, "transfer-encoding")).toEqual(["chunked"]);
    const empty = await ask(session, { ":method": "POST", "content-length": "0" }, "");
    expect(JSON.parse(empty.body)).toMatchObject({ bytes: 0 });
    const stream = session.request({ ":path": "/", ":method": "POST" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "42" }));
    stream.end("body");
    const { body: trailed } = await answerOn(stream);
    expect(JSON.parse(trailed)).toMatchObject({ bytes: 4, trailers: { "x-sum": "42" } });
  });

  test("an expectation is answered with 100, and then the body comes", async () => {
    const { httpsPort } = await startHttp2Front(mirror);
    const session = await openSession(httpsPort);
    const stream = session.request({ ":method": "POST", ":path": "/", expect: "100-continue" });
    await once(stream, "continue");
    stream.end("late");
    expect(JSON.parse((await answerOn(stream)).body)).toMatchObject({ bytes: 4 });
  });

  test("a hundred at the same time on one connection, each with its own answer; idle ways to the app are used again", async () => {
    const sockets = new Set<unknown>();
    const { httpsPort } = await startHttp2Front((request, response) => {
      sockets.add(request.socket);
      setTimeout(() => response.end(request.url), 5);
    });
    const session = await openSession(httpsPort);
    const round = async (from: number) => {
      const paths = Array.from({ length: 100 }, (_, at) => `/${from + at}`);
      expect(await Promise.all(paths.map(async (path) => (await ask(session, { ":path": path })).body))).toEqual(paths);
    };
    for (let from = 0; from < 500; from += 100) await round(from);
    // A stream that is about to close still has its way.
    expect(sockets.size).toBeLessThanOrEqual(200);
    for (let at = 0; at < 50; at++) await ask(session, { ":path": "/one" });
    expect(sockets.size).toBeLessThanOrEqual(200);
  });

  test("a request that is not read does not hold up others", async () => {
    const { httpsPort } = await startHttp2Front((request, response) => {
      if (request.url === "/stuck") return;
      mirror(request, response);
    });
    // What this client may have waiting.
    const session = await openSession(httpsPort, { maxSessionMemory: 100 });
    const stuck = Array.from({ length: 8 }, () => session.request({ ":method": "POST", ":path": "/stuck" }));
    for (const stream of stuck) stream.write(Buffer.alloc(2_000_000, "s"));
    const body = Buffer.alloc(4_000_000, "b");
    expect(JSON.parse((await ask(session, { ":method": "POST" }, body)).body)).toMatchObject({ bytes: body.length });
    for (const stream of stuck) stream.close(8);
  });
});

describe("responses", () => {
  test("have their fields in lower case, without what concerns a connection, and no body where there is none", async () => {
    const { httpsPort } = await startHttp2Front((request, response) => {
      response
        .setHeader("X-Twice", ["1", "2"])
        .setHeader("Set-Cookie", ["a=1", "b=2"])
        .setHeader("Connection", "close");
      if (request.url === "/none") response.writeHead(204).end();
      else if (request.url === "/unchanged") response.writeHead(304, { ETag: '"x"' }).end();
      else response.end("0123456789");
    });
    const session = await openSession(httpsPort);
    const { status, headers, body } = await ask(session);
    expect({ status, body }).toEqual({ status: 200, body: "0123456789" });
    expect(headers).toMatchObject({ "x-twice": "1, 2", "set-cookie": ["a=1", "b=2"], "content-length": "10" });
    expect(headers["connection"]).toBeUndefined();
    expect(headers["date"]).toMatch(/GMT$/);
    const head = await ask(session, { ":method": "HEAD" });
    expect(head).toMatchObject({ status: 200, body: "" });
    expect(await ask(session, { ":path": "/none" })).toMatchObject({ status: 204, body: "" });
    expect(await ask(session, { ":path": "/unchanged" })).toMatchObject({ status: 304, body: "" });
  });

  test("early hints and trailers pass, and large bodies byte for byte", async () => {
    const large = Buffer.alloc(5_000_000, "0123456789abcdef");
    const { httpsPort } = await startHttp2Front((request, response) => {
      if (request.url === "/large") {
        response.end(large);
        return;
      }
      response.writeEarlyHints({ link: ["</a.css>; rel=preload", "</b.js>; rel=preload"] }, () => {
        response.writeHead(200, { Trailer: "X-Sum" });
        response.write("begun, ");
        setTimeout(() => {
          response.addTrailers({ "X-Sum": "7" });
          response.end("ended");
        }, 20);
      });
    });
    const session = await openSession(httpsPort);
    const stream = session.request({ ":path": "/" });
    const hints = once(stream, "headers");
    const answer = await answerOn(stream);
    expect((await hints)[0]).toMatchObject({ ":status": 103, link: "</a.css>; rel=preload, </b.js>; rel=preload" });
    expect(answer).toMatchObject({ body: "begun, ended", trailers: { "x-sum": "7" } });
    const { body } = await ask(session, { ":path": "/large" });
    expect(body === large.toString("latin1")).toBe(true);
  });

  test("one that its client does not read does not hold up others, and waits no longer than it may", async () => {
    const { httpsPort } = await startHttp2Front(
      (request, response) => {
        if (request.url === "/large") response.end(Buffer.alloc(20_000_000, "l"));
        else response.end("small");
      },
      { timeouts: { writeIdleMs: 300 } },
    );
    const session = await openSession(httpsPort, { settings: { initialWindowSize: 65_535 } });
    session.setLocalWindowSize(10_000_000);
    const slow = session.request({ ":path": "/large" });
    slow.on("error", () => {});
    const closed = once(slow, "close");
    await once(slow, "response");
    slow.pause();
    expect((await ask(session, { ":path": "/small" })).body).toBe("small");
    await closed;
    expect(slow.rstCode).toBe(8);
  });

  test("one that breaks off is a stream that is reset, and the others go on", async () => {
    const { httpsPort } = await startHttp2Front((request, response) => {
      if (request.url === "/dies") response.writeHead(200).write("x".repeat(70_000), () => request.socket.destroy());
      else response.end("fine");
    });
    const session = await openSession(httpsPort);
    await expect(ask(session, { ":path": "/dies" })).rejects.toThrow(
      /ERR_HTTP2_STREAM_ERROR|INTERNAL_ERROR|reset with 2/,
    );
    expect((await ask(session)).body).toBe("fine");
  });

  test("an upload that is answered before its end is told to stop", async () => {
    const { httpsPort } = await startHttp2Front((_request, response) => void response.writeHead(413).end("too much"));
    const session = await openSession(httpsPort);
    const stream = session.request({ ":method": "POST", ":path": "/", "content-length": "50000000" });
    stream.on("error", () => {});
    stream.write(Buffer.alloc(1_000_000));
    // Not its close: a client of Node 22 that has heard all of this waits with that for the next frame of any other stream.
    const told = ["response", "data", "end", "aborted"].map((event) => once(stream, event));
    const [response, data] = await Promise.all(told);
    expect([response![0][":status"], String(data![0]), stream.rstCode]).toEqual([413, "too much", 0]);
  });

  test("an upload that is answered before its end, to a client that never reads, is reset in time", async () => {
    const timeouts = { bodyIdleMs: 200, writeIdleMs: 300 };
    const { httpsPort } = await startHttp2Front((_request, response) => response.end("no"), { timeouts });
    const session = await openSession(httpsPort, { settings: { initialWindowSize: 0 } });
    const stream = session.request({ ":method": "POST", ":path": "/" });
    stream.write("begun");
    await expect(answerOn(stream)).rejects.toThrow();
    expect(stream.rstCode).toBe(8);
  }, 20_000);

  test("a request that is given up is given up in the app too", async () => {
    let closed = 0;
    const { httpsPort } = await startHttp2Front((request) => void request.on("close", () => closed++));
    const session = await openSession(httpsPort);
    const streams = Array.from({ length: 5 }, () => session.request({ ":path": "/" }));
    await new Promise((resolve) => session.ping(resolve));
    for (const stream of streams) stream.close(8);
    await eventually(() => closed === 5, { what: "the app's requests end" });
  });

  test("a body over the limit is answered 413, a head over it 431, a host that is not ours 421", async () => {
    const { httpsPort } = await startHttp2Front(mirror, {
      limits: { maxBodyBytes: 1_000 },
      settings: { allowedHosts: new Set(["127.0.0.1"]) },
    });
    const session = await openSession(httpsPort);
    expect((await ask(session, { ":method": "POST", "content-length": "1001" }, "x".repeat(1_001))).status).toBe(413);
    expect((await ask(session, { ":method": "POST" }, "x".repeat(1_001))).status).toBe(413);
    expect((await ask(session, { "x-long": "x".repeat(17_000) })).status).toBe(431);
    expect((await ask(session, { ":authority": "other.example" })).status).toBe(421);
    expect((await ask(session)).status).toBe(200);
  });
});

describe("WebSockets over HTTP/2", () => {
  const upgrade = {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":path": "/chat",
    "sec-websocket-version": "13",
    "sec-websocket-protocol": "chat",
    origin: "https://127.0.0.1",
  };

  test("are upgrades to the app, and pass bytes both ways", async () => {
    const keys: unknown[] = [];
    const server = createServer(mirror);
    new WebSocketServer({ server, path: "/chat" }).on("connection", (socket, request) => {
      keys.push(request.headers["sec-websocket-key"]);
      socket.on("message", (data) => socket.send(`${request.method} ${data}`));
    });
    const { httpsPort } = await startHttp2Front(server);
    const session = await openSession(httpsPort);
    await eventually(() => session.remoteSettings.enableConnectProtocol, { what: "the settings" });
    const open = async () => {
      const stream = session.request(upgrade);
      const [headers] = await once(stream, "response");
      expect(headers).toMatchObject({ ":status": 200, "sec-websocket-protocol": "chat" });
      expect(headers["sec-websocket-accept"]).toBeUndefined();
      return stream;
    };
    const [one, two] = [await open(), await open()];
    expect(await echoed(one, "hello")).toBe("GET hello");
    expect(await echoed(two, "there")).toBe("GET there");
    expect(new Set(keys).size).toBe(2);
    expect((await ask(session)).status).toBe(200);
    one.close();
    two.end();
    await once(two.resume(), "close");
  });

  test("either side ends one: politely, or not", async () => {
    const server = createServer(mirror);
    const closes: number[] = [];
    new WebSocketServer({ server }).on("connection", (socket) => {
      socket.on("close", (code) => closes.push(code));
      socket.on("message", (data) => (String(data) === "close" ? socket.close(4_000) : socket.terminate()));
    });
    const { httpsPort } = await startHttp2Front(server);
    const session = await openSession(httpsPort);
    await eventually(() => session.remoteSettings.enableConnectProtocol, { what: "the settings" });
    const open = async () => {
      const stream = session.request(upgrade);
      stream.on("error", () => {});
      await once(stream, "response");
      return stream;
    };
    const closed = await open();
    expect(Buffer.from(await echoed(closed, "close"), "latin1").readUInt16BE()).toBe(4_000);
    const terminated = await open();
    terminated.write(maskedFrame("terminate"));
    await once(terminated.resume(), "close");
    const left = await open();
    const cut = await open();
    left.end();
    cut.close(8);
    await eventually(() => closes.length === 3, { what: "the app knows that those have ended" });
    closed.end();
    await eventually(() => closes.length === 4, { what: "and the one that it closed" });
    expect(closes.sort()).toEqual([1_006, 1_006, 1_006, 1_006]);
    expect((await ask(session)).status).toBe(200);
  });

  test("where the app takes none, the answer is an ordinary one; one that asks for something else is no request", async () => {
    const { httpsPort } = await startHttp2Front((_request, response) => void response.writeHead(404).end("no such"));
    const session = await openSession(httpsPort);
    await eventually(() => session.remoteSettings.enableConnectProtocol, { what: "the settings" });
    expect(await answerOn(session.request(upgrade))).toMatchObject({ status: 404, body: "no such" });
    await expect(answerOn(session.request({ ...upgrade, ":protocol": "connect-udp" }))).rejects.toThrow(
      /PROTOCOL_ERROR/,
    );
    expect((await ask(session)).status).toBe(404);
  });
});

describe("the end of a connection", () => {
  test("FAULTS 63: in a drain the client is told first, requests under way are answered, and then it ends", async () => {
    const waiting: (() => void)[] = [];
    const { httpsPort, front } = await startHttp2Front((request, response) => {
      if (request.url === "/slow") waiting.push(() => response.end("slow"));
      else response.end("fast");
    });
    const session = await openSession(httpsPort);
    const slow = Array.from({ length: 100 }, () => ask(session, { ":path": "/slow" }));
    await eventually(() => waiting.length === 100, { what: "all are with the app" });
    const goaways: unknown[] = [];
    session.on("goaway", (code, last) => goaways.push([code, last]));
    const closed = front.close(10_000);
    await eventually(() => goaways.length > 0, { what: "a GOAWAY" });
    expect(goaways[0]).toEqual([0, 2 ** 31 - 1]);
    for (const answer of waiting) answer();
    expect((await Promise.all(slow)).map(({ body }) => body)).toEqual(Array(100).fill("slow"));
    await closed;
  });

  test("after so many requests, or so long, the client is told to open another one", async () => {
    const { httpsPort } = await startHttp2Front(mirror, { http2: { maxRequests: 3 } });
    const session = await openSession(httpsPort);
    const goaway = once(session, "goaway");
    for (let at = 0; at < 3; at++) expect((await ask(session)).status).toBe(200);
    expect((await goaway).slice(0, 2)).toEqual([0, 2 ** 31 - 1]);
    await once(session, "close");
  });

  test("an idle one ends as one of HTTP/1.1 does", async () => {
    const { httpsPort, front } = await startHttp2Front(mirror, { timeouts: { keepAliveMs: 150 } });
    const session = await openSession(httpsPort);
    expect((await ask(session)).status).toBe(200);
    await once(session, "close");
    await eventually(() => front.connections === 0, { what: "no connection is left" });
  });
});

describe("real clients", () => {
  test("curl, by ALPN, GET and uploads, and HTTP/1.1 where it asks for that", async () => {
    const { httpsPort, certificate, front } = await startHttp2Front(mirror);
    const args = ["-sS", "--cacert", certificate.cert, "-w", "\n%{http_version} %{http_code}"];
    const url = `https://127.0.0.1:${httpsPort}/`;
    expect((await run("curl", [...args, "--http2", url])).stdout).toMatch(/\n2 200$/);
    expect((await run("curl", [...args, "--http1.1", url])).stdout).toMatch(/\n1\.1 200$/);
    const upload = await run("curl", [...args, "--http2", "--data-binary", "@/usr/bin/openssl", url]);
    expect(upload.stdout).toMatch(/"bytes":[1-9]\d{5,}\}\n2 200$/);
    const many = Array.from({ length: 20 }, (_, at) => `${url}${at}`);
    const { stdout } = await run("curl", [...args, "-Z", "--http2", ...many]);
    expect(stdout.match(/\n2 200/g)).toHaveLength(20);
    // It says nothing when it leaves.
    await eventually(() => front.connections === 0, { what: "no connection is left" });
  });
});

/** Of a WebSocket: text, as a client has to send it. */
function maskedFrame(message: string): Buffer {
  const mask = Buffer.from([1, 2, 3, 4]);
  const payload = Buffer.from(message).map((octet, at) => octet ^ mask[at % 4]!);
  return Buffer.concat([Buffer.from([0x81, 0x80 | message.length]), mask, payload]);
}

/** What the frame says that comes back. */
async function echoed(stream: ClientHttp2Stream, message: string): Promise<string> {
  stream.write(maskedFrame(message));
  const [frame] = (await once(stream as Duplex, "data")) as [Buffer];
  return frame.subarray(2).toString("latin1");
}

test("a body that comes more slowly than limits.minBodyBytesPerSecond is 408, and others on the connection go on", async () => {
  const limits = { minBodyBytesPerSecond: 500 };
  const clock = new ManualClock();
  let came = 0;
  const app: RequestListener = (request, response) => {
    request.on("data", (chunk: Buffer) => {
      came += chunk.length;
    });
    mirror(request, response);
  };
  const { httpsPort } = await startHttp2Front(app, { limits, clock });
  const session = await openSession(httpsPort);
  const [slow, fast] = ["/slow", "/fast"].map((path) => session.request({ ":path": path, ":method": "POST" }));
  const answered = once(slow!, "response") as Promise<[{ ":status": number }]>;
  const isAnswered = vi.fn();
  slow!.once("response", isAnswered);
  // Nothing is ever idle: the app has seen what was sent before another second passes.
  for (let second = 1; second <= 9; second++) {
    slow!.write(Buffer.alloc(10, "x"));
    fast!.write(Buffer.alloc(1_000, "x"));
    await eventually(() => came === second * 1_010, { what: () => `${second * 1_010} bytes at the app, not ${came}` });
    clock.advance(1_000);
  }
  expect(isAnswered).not.toHaveBeenCalled();
  clock.advance(3_000);
  expect((await answered)[0][":status"]).toBe(408);
  fast!.end();
  const { status: good, body } = await answerOn(fast!);
  expect(good).toBe(200);
  expect(JSON.parse(body).bytes).toBe(9_000);
});
