import { Agent, createServer } from "node:http";
import { createProxyServer } from "http-proxy-3";
import { targets } from "./targets.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 1_024, maxFreeSockets: 1_024 });
const proxy = createProxyServer({ agent, xfwd: true });
let turn = 0;
proxy.on("error", (_error, _request, response) => {
  if (response !== undefined && "writeHead" in response) response.writeHead(502).end();
});
const server = createServer((request, response) => {
  proxy.web(request, response, { target: targets[turn++ % targets.length]! });
});
server.on("upgrade", (request, socket, head) => {
  proxy.ws(request, socket as never, head, { target: targets[turn++ % targets.length]! });
});
server.listen(Number(process.env["PORT"]), "127.0.0.1", () => process.send?.({ ready: true }));
