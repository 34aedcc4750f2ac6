// The id of the request that code works on: in every framework, in both modes, wherever it looks, and never that of another request.
import { Agent } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { httpGet } from "./support/http-get.ts";
import { ask, openSession } from "./support/http2-front.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";
import { seededRandom } from "./support/seeded-random.ts";
import { testCertificate } from "./support/test-certificate.ts";

const frameworks = ["http", "express", "fastify", "koa"];

interface Looked {
  readonly given: string;
  readonly atStart: string | null;
  readonly wrong: readonly string[];
  readonly seen: Readonly<Record<string, string | undefined>>;
}

/** Says which id it was that request's, which is the only one that its code has seen. */
function idIn(body: string): string {
  const { given, atStart, wrong, seen } = JSON.parse(body) as Looked;
  expect({ atStart, wrong }).toEqual({ atStart: null, wrong: [] });
  expect(Object.keys(seen).length).toBeGreaterThan(6);
  for (const [where, id] of Object.entries(seen)) expect(`${where}: ${id}`).toBe(`${where}: ${given}`);
  return given;
}

async function start(options: object) {
  const primary = new PrimaryProcess("request-context.ts", {
    env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 1, requestId: true, ...options }) },
  });
  return primary.up();
}

describe.each(["proxy", "handoff"] as const)("in %s mode, the id that code sees", (mode) => {
  test("is its request's: many at a time, some with bodies, kept connections, HTTP/2, WebSockets; direct ones have none", async () => {
    const certificates = [testCertificate(["DNS:a.example", "IP:127.0.0.1"])];
    const { url, port, https, instances } = await start({ mode, https: { port: 0, certificates } });
    const random = seededRandom(15);
    const upTo = (most: number) => Math.floor(random() * most);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    onTestFinished(() => agent.destroy());
    const ids = new Set<string>();
    let asked = 0;
    const one = async (framework: string) => {
      asked++;
      const body = Buffer.alloc(upTo(2) === 0 ? upTo(100) : upTo(90_000), "x");
      const headers = { "content-type": "text/x-any", "content-length": String(body.length) };
      const how = random() < 0.5 ? { method: "POST", headers, body, agent } : { agent };
      const answer = await httpGet(`${url}/${framework}?ms=${upTo(6)}`, how);
      ids.add(idIn(answer.body));
    };
    const clients = frameworks.flatMap((framework) => Array.from({ length: 6 }, () => framework));
    await Promise.all(
      clients.map(async (framework) => {
        for (let each = 0; each < 12; each++) await one(framework);
      }),
    );
    const client = await RawClient.ofTest(port);
    for (const framework of frameworks) {
      const request = `GET /${framework}?ms=1 HTTP/1.1\r\nHost: a\r\n\r\n`;
      const post = `POST /${framework}?ms=0 HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\nabc`;
      client.send([request, post, request, post].join(""));
      asked += 4;
    }
    while (ids.size < asked) ids.add(idIn((await client.response()).body.toString()));
    const said = (await Promise.all([talk(port), talk(port), talk(port)])).flat();
    for (const { given, opened, inMessage } of said) {
      expect({ opened, inMessage }).toEqual({ opened: given, inMessage: given });
      ids.add(given);
    }
    expect(ids.size).toBe(asked + 3);
    const headers = { "x-request-id": "claimed" };
    const direct = await httpGet(`http://127.0.0.1:${instances[0]!.port}/http`, { headers });
    expect(JSON.parse(direct.body).seen.atOnce).toBe(undefined);
    if (mode === "handoff") return;
    const session = await openSession(https!.port);
    const streams = Array.from({ length: 100 }, (_, at) => ask(session, { ":path": `/express?ms=${at % 7}` }));
    const bodies = await Promise.all(streams);
    expect(new Set(bodies.map(({ body }) => idIn(body))).size).toBe(100);
  });
});

/** Three messages over a WebSocket. */
async function talk(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  onTestFinished(() => socket.terminate());
  await new Promise((opened) => socket.once("open", opened));
  const said = [];
  for (let each = 0; each < 3; each++) {
    const answer = new Promise<string>((resolve) => socket.once("message", (text) => resolve(String(text))));
    socket.send("?");
    said.push(JSON.parse(await answer));
  }
  return said as { readonly given: string; readonly opened: string; readonly inMessage: string }[];
}

test("without ids there is none", async () => {
  const { url } = await start({ requestId: false });
  expect(JSON.parse((await httpGet(`${url}/http`)).body).seen.atOnce).toBe(undefined);
});
