// Places that responses name, as clients find them: over both protocols, on connections that are used again.
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { Router } from "../src/front/proxy/router.ts";
import type { Way } from "../src/front/proxy/way.ts";
import { movedPaths } from "../src/routing/moved-paths.ts";
import { ask, openSession, startHttp2Front } from "./support/http2-front.ts";
import { RawClient } from "./support/raw-client.ts";

/** Over whatever the backend says of itself, a request twice: heads that are the same are read once. */
async function front() {
  const app = createServer((request, response) => {
    const { host } = request.headers;
    response.writeHead(request.url === "/plain" ? 200 : 302, {
      Date: "Thu, 01 Jan 1970 00:00:00 GMT",
      ...(request.url !== "/plain" && {
        Location: request.url === "/absolute" ? `http://${host}/a` : "/a?b",
        "Set-Cookie": ["a=1; Path=/x", "b=2"],
      }),
    });
    response.end();
  });
  const rule = { hosts: undefined, paths: undefined, methods: undefined, headers: [] };
  const paths = movedPaths({ stripPrefix: "/api", rewrite: undefined, paths: undefined });
  const strip = { fields: undefined, lines: "", target: ({ target }: { target: string }) => target.slice(4) };
  const router = (otherwise: Way) => {
    const way = { ...otherwise, upstream: strip, places: { locations: true, cookies: "moved", paths } } as const;
    const route = { name: "all", rule, limit: undefined, limitsItself: false, guards: [], destination: () => way };
    return new Router({ routes: [route], otherwise, limit: undefined, maxBodyBytes: 1_000 });
  };
  return startHttp2Front(app, { router });
}

test("over HTTP/1.1", async () => {
  const { port } = await front();
  const client = await RawClient.ofTest(port);
  for (const host of ["a.example", "a.example", "b.example"]) {
    const get = async (path: string) => {
      const { headers } = await client.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).response();
      return [headers["location"], headers["set-cookie"]];
    };
    expect(await get("/api/relative")).toEqual(["/api/a?b", "a=1; Path=/api/x, b=2"]);
    expect(await get("/api/absolute")).toEqual([`http://${host}/api/a`, "a=1; Path=/api/x, b=2"]);
    expect(await get("/api/plain")).toEqual([undefined, undefined]);
  }
});

test("over HTTP/2", async () => {
  const { httpsPort } = await front();
  const session = await openSession(httpsPort);
  for (let time = 0; time < 2; time++) {
    const { headers } = await ask(session, { ":path": "/api/relative" });
    expect([headers["location"], headers["set-cookie"]]).toEqual(["/api/a?b", ["a=1; Path=/api/x", "b=2"]]);
    const absolute = await ask(session, { ":path": "/api/absolute" });
    expect(absolute.headers["location"]).toMatch(/^http:\/\/[^/]+\/api\/a$/);
  }
});
