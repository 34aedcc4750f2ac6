// All of it: what HAProxy, nginx, PM2 and certbot would have configurations for. Run it with `npx lb start`.
import { defineConfig } from "@lb/core";

const { HTTP_PORT = 8080, HTTPS_PORT = 8443, BILLING = "http://127.0.0.1:9000", ADMIN = "let me in" } = process.env;

export default defineConfig({
  name: "everything",
  entry: "server.js",
  instances: 4,

  // TLS and HTTP/2, with a certificate for development; in production: acme: { domains, email, agreeTos: true }.
  port: Number(HTTP_PORT),
  https: { port: Number(HTTPS_PORT), localhost: true },
  http: "redirect",
  securityHeaders: true,
  limits: { maxConnectionsPerAddress: 20 },
  healthEndpoints: true,

  backends: {
    // A program in another language, two of it, run and watched as the app is.
    reports: { exec: "python3 reports.py", instances: 2 },
    // A service on another machine.
    billing: { endpoints: [BILLING], health: { active: { path: "/health", intervalMs: 1_000 } } },
  },

  routes: [
    { path: "/admin/*", to: "app", allow: ["loopback", "private"], basicAuth: { users: { admin: ADMIN } } },
    { path: "/socket.io/*", to: "app", affinity: ["socket.io", "cookie"] },
    { path: "/api/*", to: "app", strategy: "round-robin", affinity: false },
    { path: "/reports/*", to: "reports", stripPrefix: "/reports" },
    { path: "/billing/*", to: "billing", rewrite: "/v2/{rest}{query}", timeouts: { responseMs: 5_000 } },
    { path: "/blog/*", to: { redirect: "https://blog.example{uri}" } },
    {
      path: "/closed",
      to: { respond: { status: 503, body: "<h1>Back at nine</h1>", headers: { "Retry-After": "3600" } } },
    },
    { method: ["GET", "HEAD"], to: { files: "public" } },
  ],
});
