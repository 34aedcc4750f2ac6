// What is told of requests, whichever edge they came over.
import { once } from "node:events";
import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import type { FinishedRequest } from "../src/front/traffic-observer.ts";
import { openSession, startHttp2Front } from "./support/http2-front.ts";
import { RawClient } from "./support/raw-client.ts";

const app = () => {
  const server = createServer((request, response) => {
    request.resume();
    switch (request.url) {
      case "/cut":
        response.writeHead(200, { "Content-Length": 200_000 }).write("x".repeat(100_000), () => {
          setTimeout(() => request.socket.destroy(), 50);
        });
        break;
      case "/never":
        break;
      case "/half":
        response.writeHead(200, { "Content-Length": 200_000 }).write("x".repeat(100_000));
        break;
      default:
        request.on("end", () => response.end("y".repeat(10_000)));
    }
  });
  new WebSocketServer({ server });
  return server;
};

/** A request over HTTP/2 or in bytes, which its client gives up if it leaves. */
interface Asked {
  readonly path: string;
  readonly body?: string;
  /** At once, or when so many bytes have come. */
  readonly leavesAfter?: number;
  readonly upgrade?: boolean;
}

const asked: Readonly<Record<string, Asked>> = {
  complete: { path: "/", body: "z".repeat(5_000) },
  cut: { path: "/cut" },
  "client-left": { path: "/never", leavesAfter: 0 },
  "client-left after the beginning": { path: "/half", leavesAfter: 50_000 },
  tunnel: { path: "/socket", upgrade: true },
};

async function sendBytes(client: RawClient, { path, body, leavesAfter, upgrade }: Asked): Promise<void> {
  const fields = upgrade
    ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    : "";
  const length = body === undefined ? "" : `Content-Length: ${body.length}\r\n`;
  client.send(
    `${body === undefined ? "GET" : "POST"} ${path} HTTP/1.1\r\nHost: a.example\r\n${fields}${length}\r\n${body ?? ""}`,
  );
  if (leavesAfter === undefined) await client.response().catch(() => {});
  else if (leavesAfter > 0) await client.until(() => client.pending.length > leavesAfter);
  else await new Promise((resolve) => setTimeout(resolve, 100));
}

async function sendStream(port: number, { path, body, leavesAfter, upgrade }: Asked): Promise<void> {
  const session = await openSession(port);
  const stream = session.request(
    {
      ":path": path,
      ...(upgrade
        ? { ":method": "CONNECT", ":protocol": "websocket", "sec-websocket-version": "13" }
        : { ":method": body === undefined ? "GET" : "POST" }),
    },
    { endStream: body === undefined && !upgrade },
  );
  stream.on("error", () => {});
  if (body !== undefined) stream.end(body);
  if (upgrade) {
    await once(stream, "response");
    return;
  }
  if (leavesAfter === undefined) {
    stream.resume();
    await new Promise((resolve) => stream.once("close", resolve));
    return;
  }
  if (leavesAfter > 0) {
    await new Promise<void>((resolve) => {
      let bytes = 0;
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > leavesAfter) resolve();
      });
    });
  } else await new Promise((resolve) => setTimeout(resolve, 100));
  stream.close(8);
}

test.each(["plain", "TLS", "HTTP/2"] as const)("what became of requests, and with how many bytes: %s", async (edge) => {
  const told: FinishedRequest[] = [];
  const { port, httpsPort } = await startHttp2Front(app(), {
    requestFinished: (finished) => told.push({ ...finished }),
  });
  const bytes: Record<string, readonly number[]> = {};
  for (const [name, request] of Object.entries(asked)) {
    if (edge === "HTTP/2") await sendStream(httpsPort, request);
    else {
      const client = await (edge === "TLS" ? RawClient.connectSecure(httpsPort) : RawClient.connect(port));
      onTestFinished(() => client.destroy());
      await sendBytes(client, request);
      if (request.leavesAfter !== undefined) client.destroy();
    }
    await expect.poll(() => told.length).toBe(Object.keys(bytes).length + 1);
    const { end, client, requestBytes, responseBytes, status, answeredBy } = told.at(-1)!;
    expect(end).toBe(name.split(" ")[0]);
    expect(client.encrypted).toBe(edge !== "plain");
    const begun = name === "client-left" ? [undefined, "nobody"] : [name === "tunnel" ? 101 : 200, "app"];
    expect([name, status, answeredBy]).toEqual([name, ...begun]);
    bytes[name] = [requestBytes, responseBytes];
  }
  // Bodies, and heads of a few hundred bytes; of responses over HTTP/2 bodies alone.
  const within = (value: number, body: number) => {
    expect(value).toBeGreaterThanOrEqual(body);
    expect(value).toBeLessThan(body + 1_000);
  };
  within(bytes["complete"]![0]!, 5_000);
  within(bytes["complete"]![1]!, 10_000);
  within(bytes["cut"]![1]!, 100_000);
  within(bytes["client-left after the beginning"]![1]!, 100_000);
  expect(bytes["client-left"]![1]).toBe(0);
});
