import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { renameSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { FileOptions } from "../src/options/file-options.ts";
import { eventually } from "./support/eventually.ts";
import { filesRouter, siteOf } from "./support/files-front.ts";
import { ask, openSession, startHttp2Front } from "./support/http2-front.ts";
import { exchange, RawClient } from "./support/raw-client.ts";
import { startFront, type TestFrontOptions } from "./support/test-front.ts";

const large = randomBytes(8_000_000);
const medium = randomBytes(300_000);
const script = "console.log('hello');\n".repeat(50);

const get = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`;
const digest = (bytes: Buffer) => createHash("sha1").update(bytes).digest("hex");

async function serving(files: Record<string, string | Buffer>, options: Omit<TestFrontOptions, "backends"> = {}) {
  const root = siteOf(files);
  return { root, ...(await startFront({ ...options, backends: [], router: filesRouter({ files: root }) })) };
}

describe("the files of a directory", () => {
  it("are answered alike from the disk and from memory, one after the other on a connection", async () => {
    const { port } = await serving({ "a.txt": "hello", "medium.bin": medium, "large.bin": large });
    const client = await RawClient.ofTest(port);
    for (const content of [Buffer.from("hello"), medium, large]) {
      const path = content === medium ? "/medium.bin" : content === large ? "/large.bin" : "/a.txt";
      for (let time = 0; time < 3; time++) {
        const whole = await client.send(get(path)).response();
        expect([whole.status, digest(whole.body)]).toEqual([200, digest(content)]);
        const { etag } = whole.headers;
        const same = await client.send(get(path, `If-None-Match: ${etag}\r\n`)).response();
        expect([same.status, same.headers["content-length"], same.headers["etag"]]).toEqual([304, undefined, etag]);
        const part = await client.send(get(path, "Range: bytes=1-3\r\n")).response();
        expect([part.status, part.body]).toEqual([206, content.subarray(1, 4)]);
        const head = await client.send(get(path).replace("GET", "HEAD")).response("HEAD");
        expect([head.status, head.headers["content-length"]]).toEqual([200, `${content.length}`]);
      }
    }
  });

  it("are answered in order to who asks for several at once, and close where that is asked for", async () => {
    const { port } = await serving({ "a.txt": "hello", "large.bin": large });
    const client = await RawClient.ofTest(port);
    client.send(
      get("/a.txt") + get("/large.bin") + get("/a.txt") + get("/none") + get("/a.txt", "Connection: close\r\n"),
    );
    const sizes: number[] = [];
    for (let index = 0; index < 5; index++) sizes.push((await client.response()).body.length);
    expect(sizes).toEqual([5, large.length, 5, 14, 5]);
    await client.closed;
  });

  it("are for clients of HTTP/1.0 that name no host, from the disk and from memory", async () => {
    const { port } = await serving({ "a.txt": "hello" });
    for (let time = 0; time < 2; time++) {
      const { status, headers, body } = await exchange(port, "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      expect([status, headers["connection"], `${body}`]).toEqual([200, "keep-alive", "hello"]);
    }
  });

  it("are the same over HTTP/2", async () => {
    const root = siteOf({ "a.txt": "hello", "app.js": script, "app.js.gz": gzipSync(script), "large.bin": large });
    const app = createServer((_request, response) => response.end("app"));
    const { httpsPort } = await startHttp2Front(app, { router: filesRouter({ files: root }) });
    const session = await openSession(httpsPort);
    for (let time = 0; time < 2; time++) {
      expect(await ask(session, { ":path": "/a.txt" })).toMatchObject({ status: 200, body: "hello" });
      expect(await ask(session, { ":path": "/a.txt", range: "bytes=1-2" })).toMatchObject({ status: 206, body: "el" });
      const coded = await ask(session, { ":path": "/app.js", "accept-encoding": "gzip" });
      expect(coded.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
      const whole = await ask(session, { ":path": "/large.bin" });
      expect(digest(Buffer.from(whole.body, "latin1"))).toBe(digest(large));
      const { headers } = whole;
      expect(await ask(session, { ":path": "/large.bin", "if-none-match": headers["etag"]! })).toMatchObject({
        status: 304,
        body: "",
      });
      expect(await ask(session, { ":path": "/large.bin", ":method": "HEAD" })).toMatchObject({ status: 200, body: "" });
      expect(await ask(session, { ":path": "/none" })).toMatchObject({ status: 404 });
    }
  });

  it("are sent whole to a client that reads slowly, though the file is another by then", async () => {
    const { port, root } = await serving({ "large.bin": large }, { timeouts: { writeIdleMs: 20_000 } });
    const client = await RawClient.ofTest(port);
    client.send(get("/large.bin"));
    await client.until(() => client.pending.length > 0);
    client.socket.pause();
    renameSync(join(root, "large.bin"), join(root, "gone.bin"));
    writeFileSync(join(root, "large.bin"), "other");
    client.socket.resume();
    const { body } = await client.response();
    expect(digest(body)).toBe(digest(large));
  });

  it.each([
    ["truncated", (path: string) => truncateSync(path, 1_000)],
    ["written over", (path: string) => writeFileSync(path, randomBytes(large.length))],
  ])(
    "BAD-INPUTS 177: end with a reset when one is %s that is being sent, and no byte of another version is sent",
    async (_how, change) => {
      const { port, root } = await serving({ "large.bin": large });
      const client = await RawClient.ofTest(port);
      client.send(get("/large.bin"));
      await client.until(() => client.pending.length > 0);
      client.socket.pause();
      change(join(root, "large.bin"));
      client.socket.resume();
      await client.closed;
      const headEnd = client.pending.indexOf("\r\n\r\n") + 4;
      const body = client.pending.subarray(headEnd);
      expect(body.length).toBeLessThan(large.length);
      expect(body.equals(large.subarray(0, body.length))).toBe(true);
      const next = await exchange(port, get("/large.bin"));
      expect(next.status).toBe(200);
    },
  );

  it("do not keep a client that does not read at all", async () => {
    const { port, front } = await serving(
      { "large.bin": large, "small.bin": large.subarray(0, 100_000) },
      { timeouts: { writeIdleMs: 300 } },
    );
    const one = await RawClient.ofTest(port);
    one.socket.pause();
    one.send(get("/large.bin"));
    const other = await RawClient.ofTest(port);
    other.socket.pause();
    // More than the system takes in for it.
    for (let index = 0; index < 200; index++) other.send(get("/small.bin"));
    await eventually(() => front.connections === 0, { what: "both were closed" });
  });

  it("take no request body, and no other method", async () => {
    const { port } = await serving({ "a.txt": "hello" });
    const refused = await exchange(port, "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    expect([refused.status, refused.headers["allow"]]).toEqual([405, "GET, HEAD"]);
    const bodied = await exchange(port, "GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    expect([bodied.status, bodied.body.toString()]).toEqual([200, "hello"]);
  });
});

describe("with fallthrough", () => {
  async function falling(files: Record<string, string | Buffer>, options: Partial<FileOptions> = {}) {
    const app = createServer((request, response) => response.end(`app: ${request.method} ${request.url}`));
    const sockets = new WebSocketServer({ server: app });
    sockets.on("connection", (socket) => socket.send("app"));
    const root = siteOf(files);
    const router = filesRouter({ files: root, fallthrough: true, ...options });
    return { root, ...(await startHttp2Front(app, { router })) };
  }

  it("sends what is there, from the disk and from memory, and leaves the rest to the app, in order", async () => {
    const { port, root } = await falling({
      "a.txt": "hello",
      "large.bin": large,
      "docs/index.html": "docs",
      "bare/x.txt": "x",
      "404.html": "not here",
    });
    for (let time = 0; time < 2; time++) {
      const client = await RawClient.ofTest(port);
      const paths = ["/a.txt", "/none?x", "/large.bin", "/bare/", "/docs", "/docs/", "/.env", "/..%2fa.txt", "/a.txt/"];
      client.send(paths.map((path) => get(path)).join(""));
      const answers: string[] = [];
      for (const _ of paths) {
        const { status, body } = await client.response();
        answers.push(`${status} ${body.length > 100 ? digest(body) : body}`);
      }
      expect(answers).toEqual([
        "200 hello",
        "200 app: GET /none?x",
        `200 ${digest(large)}`,
        "200 app: GET /bare/",
        "301 ",
        "200 docs",
        "200 app: GET /.env",
        "200 app: GET /..%2fa.txt",
        "200 app: GET /a.txt/",
      ]);
    }
    const posted = await exchange(port, "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    expect(posted.body.toString()).toBe("app: POST /a.txt");
    const head = await (await RawClient.ofTest(port)).send(get("/a.txt").replace("GET", "HEAD")).response("HEAD");
    expect([head.status, head.headers["content-length"]]).toEqual([200, "5"]);
    writeFileSync(join(root, "none"), "here now");
    await eventually(async () => (await exchange(port, get("/none"))).body.toString() === "here now", {
      what: "the new file is seen",
    });
  });

  it("leaves WebSockets to the app, whatever files there are", async () => {
    const { port } = await falling({ "a.txt": "hello" });
    for (const path of ["/a.txt", "/none"]) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
      expect(String((await once(socket, "message"))[0])).toBe("app");
      socket.close();
      await once(socket, "close");
    }
  });

  it("sends pages of an app in the browser to whoever goes to one, and leaves what is fetched to the app", async () => {
    const { port } = await falling({ "index.html": "page" }, { spa: true });
    for (let time = 0; time < 2; time++) {
      expect((await exchange(port, get("/users/7", "Accept: text/html\r\n"))).body.toString()).toBe("page");
      expect((await exchange(port, get("/users/7", "Accept: application/json\r\n"))).body.toString()).toBe(
        "app: GET /users/7",
      );
    }
  });

  it("is the same over HTTP/2", async () => {
    const { httpsPort } = await falling({ "a.txt": "hello", "large.bin": large });
    const session = await openSession(httpsPort);
    for (let time = 0; time < 2; time++) {
      const paths = ["/a.txt", "/none", "/large.bin", "/none/either"];
      const answers = await Promise.all(paths.map((path) => ask(session, { ":path": path })));
      const bodies = answers.map(({ body }) => (body.length > 100 ? digest(Buffer.from(body, "latin1")) : body));
      expect(bodies).toEqual(["hello", "app: GET /none", digest(large), "app: GET /none/either"]);
    }
    const posted = await ask(session, { ":path": "/a.txt", ":method": "POST" });
    expect(posted.body).toBe("app: POST /a.txt");
  });
});
