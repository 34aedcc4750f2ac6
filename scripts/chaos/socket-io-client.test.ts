import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { Lateness } from "./lateness.ts";
import { Ledger } from "./ledger.ts";
import { talk } from "./socket-io-client.ts";

it("hears of a WebSocket that closes before Engine.IO's handshake, and comes again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lb-chaos-client-"));
  const lateness = new Lateness();
  const ledger = new Ledger({ folder, mode: "handoff", unread: false, gateway: false, lateness });
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  let attempts = 0;
  server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => webSocket.terminate());
    attempts += 1;
    ledger.closing = attempts === 3;
  });
  try {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const place = { port, secure: false, close: async () => {} };
    await talk({ ledger, place, transport: "websocket", user: "one" });
    expect(ledger.entries.map(({ outcome }) => outcome.kind)).toEqual(["cut", "cut", "cut"]);
    expect(attempts).toBe(3);
  } finally {
    server.close();
    lateness.stop();
    rmSync(folder, { recursive: true });
  }
});
