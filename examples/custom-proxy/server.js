// A proxy of one's own: http-proxy-3 moves the bytes, @lb/core says where to and learns from what became of it.
// UPSTREAMS=http://127.0.0.1:3001,http://127.0.0.1:3002 PORT=3000 node server.js
import { Agent, createServer } from "node:http";
import { createBalancer, requestViewOf } from "@lb/core";
import { createProxyServer } from "http-proxy-3";

const { UPSTREAMS = "http://127.0.0.1:3001,http://127.0.0.1:3002", PORT = "3000" } = process.env;
const balancer = createBalancer({ endpoints: UPSTREAMS.split(","), strategy: "least-connections" });
const proxy = createProxyServer({ agent: new Agent({ keepAlive: true }), xfwd: true });
const leases = new WeakMap();

function forward(request, response, tried = new Set()) {
  const lease = balancer.tryAcquire(requestViewOf(request), tried);
  if (lease === undefined) return response.writeHead(tried.size === 0 ? 503 : 502).end();
  leases.set(response, lease);
  response.once("close", () => lease.release({ kind: response.writableFinished ? "success" : "cancelled" }));
  proxy.web(request, response, { target: lease.url }, (error) => {
    const reason = error.syscall === "connect" ? "connect" : "reset";
    if (!lease.release({ kind: "failure", reason })) return;
    if (response.headersSent) return response.destroy();
    if (!["GET", "HEAD"].includes(request.method) || !balancer.withdrawRetry()) return response.writeHead(502).end();
    forward(request, response, tried.add(lease.endpoint));
  });
}

proxy.on("proxyRes", (answer, _request, response) => {
  const lease = leases.get(response);
  const failed = answer.statusCode >= 502 && answer.statusCode <= 504;
  lease.observe(failed ? { kind: "failure", reason: "status" } : { kind: "success" });
  answer.once("close", () => {
    if (answer.complete) return;
    lease.release({ kind: "failure", reason: "reset" });
    response.destroy(); // An upstream that dies in the middle must be seen to; http-proxy-3 would let the client wait.
  });
});

const server = createServer((request, response) => forward(request, response));
server.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
