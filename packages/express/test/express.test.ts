import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { LbError } from "@lb/core";
import express, { type ErrorRequestHandler } from "express";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { httpGet } from "../../core/test/support/http-get.ts";
import { securityHeaders } from "../src/helmet.ts";
import { type BalanceOptions, balance, connectionLimit, type Middleware } from "../src/index.ts";
import { deadUrl, startBackend } from "./support/backend.ts";
import { listening } from "./support/frameworks.ts";

async function serve(listener: RequestListener) {
  return listening(createServer(listener).listen(0, "127.0.0.1"));
}

function gateway(options: BalanceOptions) {
  const made = balance(options);
  onTestFinished(() => made.close());
  return made;
}

/** What the WebSocket's first message is answered with, or the status with which it was refused. */
async function webSocketAt(port: number, path: string): Promise<string | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  onTestFinished(() => socket.terminate());
  const refused = once(socket, "unexpected-response").then(([, response]) => response.statusCode as number);
  socket.on("error", () => {});
  socket.on("open", () => socket.send("x"));
  return Promise.race([once(socket, "message").then(([text]) => String(text)), refused]);
}

describe("Express, its own ways", () => {
  it("finds balancers in routers of routers before the first request", async () => {
    const { url } = await startBackend("a");
    const [app, outer, inner] = [express(), express.Router(), express.Router()];
    inner.use("/live", gateway({ targets: [url] }));
    outer.use("/v1", inner);
    app.use("/api", outer);
    const { port } = await serve(app);
    expect(await webSocketAt(port, "/api/v1/live")).toBe("a:x");
  });

  it("middleware before it has its word on WebSockets too", async () => {
    const { url } = await startBackend("a");
    const app = express();
    const guard: Middleware = (request, response, next) => {
      if (request.url?.includes("token=right") === true) next();
      else (response as express.Response).status(401).json({ error: "no token" });
    };
    app.use(guard, gateway({ targets: [url] }));
    const { port } = await serve(app);
    expect(await webSocketAt(port, "/live")).toBe(401);
    expect(await webSocketAt(port, "/live?token=right")).toBe("a:x");
  });

  it("two copies of this library in one process are as one", async () => {
    const { url } = await startBackend("a");
    const other = createRequire(import.meta.url)("@lb/express") as typeof import("../src/index.ts");
    expect(other.balance).not.toBe(balance);
    const second = other.balance({ targets: [url] });
    onTestFinished(() => second.close());
    const app = express();
    app.use(connectionLimit({ perAddress: 1 }));
    app.use("/one", gateway({ targets: [url] }));
    app.use("/two", second);
    const { port } = await serve(app);
    expect(await webSocketAt(port, "/two")).toBe("a:x");
    expect(await webSocketAt(port, "/one")).toBe(429);
  });

  it("leaves the WebSockets of others alone", async () => {
    const { url } = await startBackend("a");
    const app = express();
    app.use("/api", gateway({ targets: [url] }));
    const server = createServer(app);
    const own = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url !== "/own") return;
      own.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on("message", (text) => webSocket.send(`own:${text}`));
      });
    });
    const { port } = await listening(server.listen(0, "127.0.0.1"));
    expect(await webSocketAt(port, "/own")).toBe("own:x");
    expect(await webSocketAt(port, "/api/live")).toBe("a:x");
  });

  it("serve() tells of a server whose app cannot be seen", async () => {
    const { url } = await startBackend("a");
    const app = express();
    const made = gateway({ targets: [url] });
    app.use(made);
    const server = createServer((request, response) => app(request, response));
    made.serve(server);
    const { port } = await listening(server.listen(0, "127.0.0.1"));
    expect(await webSocketAt(port, "/")).toBe("a:x");
  });

  it("without serve(), such a server has its WebSockets relayed after its first request", async () => {
    const { url } = await startBackend("a");
    const made = gateway({ targets: [url] });
    const { port, url: own } = await serve((request, response) => made(request, response, () => {}));
    expect((await httpGet(own)).status).toBe(200);
    expect(await webSocketAt(port, "/")).toBe("a:x");
  });

  it("webSockets: false leaves upgrades to the app", async () => {
    const { url } = await startBackend("a");
    const app = express();
    app.use(gateway({ targets: [url], webSockets: false }));
    const server = createServer(app);
    const own = new WebSocketServer({ server });
    own.on("connection", (webSocket) => webSocket.on("message", (text) => webSocket.send(`own:${text}`)));
    const { port } = await listening(server.listen(0, "127.0.0.1"));
    expect(await webSocketAt(port, "/")).toBe("own:x");
  });

  it("a body that somebody read and left nothing of is an error of the app's", async () => {
    const { url, seen } = await startBackend("a");
    const told: LbError[] = [];
    const app = express();
    app.use((request, _response, next) => void request.resume().once("end", next));
    app.use(gateway({ targets: [url], onError: (error) => told.push(error) }));
    const { url: own } = await serve(app);
    const { status } = await httpGet(own, { method: "POST", headers: { "Content-Type": "x/y" }, body: "lost" });
    expect([status, seen]).toEqual([500, []]);
    expect(told[0]).toMatchObject({
      code: "LB_BODY_CONSUMED",
      message: expect.stringContaining("before the body parser"),
    });
    expect((await httpGet(own)).status).toBe(200);
  });

  it("an app that gives up on a request itself is left to it", async () => {
    const answers: (() => void)[] = [];
    const { url, sockets } = await startBackend("a", (_request, response) => {
      answers.push(() => response.write("late"));
    });
    const app = express();
    app.use((request, response, next) => {
      if (request.url === "/timeout") setTimeout(() => response.status(504).send("own words"), 20);
      if (request.url === "/cut") setTimeout(() => response.destroy(), 20);
      next();
    });
    const made = gateway({ targets: [url] });
    app.use(made);
    const { url: own } = await serve(app);
    expect(await httpGet(`${own}/timeout`)).toMatchObject({ status: 504, body: "own words" });
    await expect(httpGet(`${own}/cut`)).rejects.toMatchObject({ code: "ECONNRESET" });
    for (const answer of answers) answer();
    await expect.poll(() => sockets.size).toBe(0);
    expect(made.status().endpoints[0]).toMatchObject({ inFlight: 0, failures: 0 });
  });

  it("is plain middleware: node:http without Express will do", async () => {
    const { url } = await startBackend("a");
    const made = gateway({ targets: [url] });
    const { url: own } = await serve((request, response) => made(request, response, () => response.end("next")));
    expect(JSON.parse((await httpGet(`${own}/x`)).body)).toMatchObject({ backend: "a", url: "/x" });
  });

  it("passErrors: error middleware gets a GatewayError with status and code", async () => {
    const app = express();
    app.use(gateway({ targets: [await deadUrl()], passErrors: true }));
    const told: ErrorRequestHandler = (error, _request, response, _next) => {
      response.status(error.status).json({ code: error.code, statusCode: error.statusCode });
    };
    app.use(told);
    const { url } = await serve(app);
    const { status, body } = await httpGet(url);
    expect([status, JSON.parse(body)]).toEqual([502, { code: "LB_UPSTREAM_CONNECT", statusCode: 502 }]);
  });

  it("securityHeaders: helmet's, unless a target says otherwise", async () => {
    const { url } = await startBackend("a", (_request, response) => {
      response.writeHead(200, { "X-Frame-Options": "DENY", "Set-Cookie": "b=2" }).end();
    });
    const app = express();
    app.use(securityHeaders({ contentSecurityPolicy: false }), (_request, response, next) => {
      response.cookie("a", "1");
      next();
    });
    app.use(gateway({ targets: [url] }));
    const { url: own } = await serve(app);
    const { headers } = await httpGet(own);
    expect(headers["x-frame-options"]).toBe("DENY");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers).not.toHaveProperty("content-security-policy");
    expect(headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2"]);
  });

  it("a balancer that nobody uses any more holds no process", () => {
    const index = resolve(import.meta.dirname, "../src/index.ts");
    const program = `
      import { balance, health, overload, rateLimit } from ${JSON.stringify(index)};
      const active = { path: "/", intervalMs: 10 };
      balance({ targets: () => ["http://127.0.0.1:1"], refreshMs: 10, health: { active } });
      health(); overload(); rateLimit({ points: 10 });
      setTimeout(() => {}, 100);`;
    const options = { encoding: "utf8", timeout: 10_000 } as const;
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], options);
    expect([status, stderr]).toEqual([0, ""]);
  });
});
