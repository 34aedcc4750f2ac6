// What the settings do to the fields of messages, in both modes: to the app's, to our own, and not to a WebSocket's handshake.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { edge } from "./support/edge.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";
import { testCertificate } from "./support/test-certificate.ts";

interface Told {
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly rawHeaders: readonly string[];
}

const headers = {
  request: { remove: ["X-Debug"], set: { "X-Site": "shop" }, add: { Via: "1.1 us" } },
  response: { remove: ["Server", "X-Powered-By", "Set-Cookie"], set: { "X-Made-By": "lb" } },
};

test("over HTTP/2 and TLS as over HTTP/1.1", async () => {
  const certificates = [testCertificate(["DNS:a.example"])];
  const all = { port: 0, instances: 1, headers, securityHeaders: true, https: { port: 0, certificates } };
  const primary = new PrimaryProcess("handoff-app.ts", { env: { LB_TEST_OPTIONS: JSON.stringify(all) } });
  const port = (await primary.up()).https!.port;
  for (const version of ["--http1.1", "--http2"]) {
    const to = ["--resolve", `a.example:${port}:127.0.0.1`, "-H", "X-Debug: 1"];
    const url = `https://a.example:${port}/?field=Server:x&field=X-Frame-Options:DENY`;
    const { stdout } = await promisify(execFile)("curl", ["-sSik", version, ...to, url]);
    const [head = "", body = ""] = stdout.split("\r\n\r\n");
    expect(head).toMatch(version === "--http2" ? /^HTTP\/2 200/ : /^HTTP\/1\.1 200/);
    const fields = head.toLowerCase().split("\r\n").slice(1);
    expect(fields).toEqual(
      expect.arrayContaining(["x-made-by: lb", "x-frame-options: deny", "strict-transport-security: max-age=31536000"]),
    );
    expect(fields.filter((field) => /^(server|x-frame-options): (x|sameorigin)/.test(field))).toEqual([]);
    const told = JSON.parse(body) as Told;
    expect([told.headers["x-site"], told.headers["x-debug"]]).toEqual(["shop", undefined]);
  }
});

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  async function start(options: object = {}) {
    const all = { port: 0, instances: 2, mode, headers, securityHeaders: true, ...options };
    const primary = new PrimaryProcess("handoff-app.ts", { env: { LB_TEST_OPTIONS: JSON.stringify(all) } });
    const up = await primary.up();
    const client = await RawClient.ofTest(up.port);
    const ask = (target: string, lines = "", host = "a.example") =>
      client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`).response();
    return { ...up, client, ask };
  }

  test("the app gets what the rules say, and the client, too; nothing is said twice", async () => {
    const { ask } = await start();
    const wanted = ["Server:x", "X-Powered-By:y", "X-Frame-Options:DENY", "Set-Cookie:a=b"].map(
      (field) => `field=${field}`,
    );
    for (let n = 0; n < 2; n++) {
      const response = await ask(`/?${wanted.join("&")}`, "X-Debug: 1\r\nx-site: forged\r\nVia: 1.0 them\r\n");
      const told = JSON.parse(response.body.toString()) as Told;
      expect(told.headers).toMatchObject({ "x-site": "shop", via: "1.0 them, 1.1 us" });
      expect(told.headers["x-debug"]).toBeUndefined();
      expect(told.rawHeaders.map((name) => name.toLowerCase()).filter((name) => name === "x-site")).toHaveLength(1);
      const { server, "x-powered-by": powered, "set-cookie": cookie, ...rest } = response.headers;
      expect([server, powered, cookie]).toEqual([undefined, undefined, undefined]);
      expect(rest).toMatchObject({
        "x-made-by": "lb",
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "strict-origin-when-cross-origin",
      });
      expect("strict-transport-security" in rest).toBe(edge !== "plain");
    }
  });

  test("our own answers have the security headers, and our own cookie no rules", async () => {
    const { ask, port } = await start({ affinity: "cookie", allowedHosts: ["a.example"], healthEndpoints: true });
    const first = await ask("/");
    expect(first.headers["set-cookie"]).toMatch(/HttpOnly/);
    const cookie = first.headers["set-cookie"]!.split(";")[0]!;
    const { id } = JSON.parse(first.body.toString()) as Told;
    // One connection for users of both instances: in hand-off mode the request is passed on to the other one.
    for (let met = false; !met; ) {
      const other = await RawClient.ofTest(port);
      const own = await other.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").response();
      met = (JSON.parse(own.body.toString()) as Told).id !== id;
      const { headers: got, body } = await other
        .send(
          `GET /?field=Server:x&field=Set-Cookie:a=b HTTP/1.1\r\nHost: a.example\r\nX-Debug: 1\r\nCookie: ${cookie}\r\n\r\n`,
        )
        .response();
      expect(got).toMatchObject({ "x-made-by": "lb", "x-content-type-options": "nosniff" });
      expect([got["server"], got["set-cookie"]]).toEqual([undefined, undefined]);
      const told = JSON.parse(body.toString()) as Told;
      expect([told.id, told.headers["x-site"], told.headers["x-debug"], told.headers["cookie"]]).toEqual([
        id,
        "shop",
        undefined,
        undefined,
      ]);
    }
    const own = await RawClient.ofTest(port);
    for (const [target, host, status] of [
      ["/health", "a.example", 200],
      ["/", "evil.example", 421],
    ] as const) {
      for (const client of [await RawClient.ofTest(port), own]) {
        if (client === own) await client.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n").response();
        const answer = await client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`).response();
        expect(answer).toMatchObject({
          status,
          headers: { "x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN" },
        });
        expect(answer.headers["x-made-by"]).toBeUndefined();
      }
    }
  });

  test("WebSockets open; HSTS is for those whom a trusted proxy serves over TLS", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lb-headers-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "http.sock");
    const { port } = await start({ listen: [{ path }] });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    onTestFinished(() => socket.terminate());
    socket.on("upgrade", ({ headers: got }) => expect(got["x-made-by"]).toBeUndefined());
    expect(String((await once(socket, "message"))[0])).toMatch(/^instance/);
    const over = async (proto: string) => {
      const args = ["-sSi", "--unix-socket", path, "-H", `X-Forwarded-Proto: ${proto}`, "http://a.example/"];
      return (await promisify(execFile)("curl", args)).stdout;
    };
    expect(await over("https")).toMatch(/\r\nStrict-Transport-Security: max-age=31536000\r\n/);
    expect(await over("http")).not.toContain("Strict-Transport-Security");
  });
});
