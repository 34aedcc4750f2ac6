// A browser at the port with TLS: page, assets and WebSocket on one connection of HTTP/2.
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { launchBrowser } from "../../../examples/test/browser.ts";
import { startHttp2Front } from "./support/http2-front.ts";

const page = `<!doctype html><title>edge</title><link rel="icon" href="data:,"><script type="module">
  const bytes = (await (await fetch("/upload", { method: "POST", body: "u".repeat(1_000_000) })).text());
  const socket = new WebSocket("wss://" + location.host + "/chat");
  socket.onmessage = ({ data }) => {
    const protocols = performance.getEntriesByType("resource").map((entry) => entry.nextHopProtocol);
    const [navigation] = performance.getEntriesByType("navigation");
    document.body.dataset.seen = JSON.stringify({ bytes, data, protocols, page: navigation.nextHopProtocol });
  };
  socket.onopen = () => socket.send("hello");
</script><body></body>`;

test("Chromium loads a page, uploads, and has its WebSocket beside them on one connection", async () => {
  const ports = new Set<number | undefined>();
  const server = createServer((request, response) => {
    ports.add(request.socket.remotePort);
    if (request.url === "/") response.writeHead(200, { "Content-Type": "text/html" }).end(page);
    else {
      let bytes = 0;
      request.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on("end", () => response.end(`${bytes}`));
    }
  });
  new WebSocketServer({ server }).on("connection", (socket, request) => {
    ports.add(request.socket.remotePort);
    socket.on("message", (data) => socket.send(`${data} ${request.headers.origin}`));
  });
  const { httpsPort } = await startHttp2Front(server);
  const browser = await launchBrowser();
  const tab = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  await tab.goto(`https://127.0.0.1:${httpsPort}/`);
  await tab.waitForFunction("document.body.dataset.seen !== undefined");
  expect(JSON.parse((await tab.evaluate("document.body.dataset.seen")) as string)).toEqual({
    bytes: "1000000",
    data: `hello https://127.0.0.1:${httpsPort}`,
    protocols: ["h2"],
    page: "h2",
  });
  // The client's port is that of its connection, whichever stream it is.
  expect(ports.size).toBe(1);
});
