// A real listener, and clients that mean it badly.
import { once } from "node:events";
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { EntryMemory } from "../log/entry-memory.ts";
import { systemClock } from "../model/clock.ts";
import { type AdminSettings, adminSchema } from "../options/admin-options.ts";
import { parseOptions } from "../options/validation.ts";
import { AdminServer } from "./admin-server.ts";
import { EventStream } from "./event-stream.ts";

async function listening() {
  const asked: string[] = [];
  const server = new AdminServer({
    settings: parseOptions(adminSchema, { port: 0 }, "admin") as AdminSettings,
    certificate: undefined,
    pages: {
      "/metrics": async () => {
        asked.push("/metrics");
        return { status: 200, contentType: "text/plain", body: "x".repeat(1_000_000) };
      },
    },
    posts: {},
    refused: () => {},
    events: new EventStream(new EntryMemory(), systemClock),
    clock: systemClock,
  });
  const url = await server.listen();
  onTestFinished(() => server.close());
  return { asked, url, port: Number(new URL(url).port) };
}

test("who asks for hundreds of pages and reads none costs one, and is cut", async () => {
  const { asked, port } = await listening();
  const client = connect(port, "127.0.0.1");
  client.on("error", () => {});
  client.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500));
  client.resume();
  await once(client, "close");
  expect(asked).toHaveLength(1);
});

test("one page after the other on a connection is what it was", async () => {
  const { asked, url } = await listening();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  for (let at = 0; at < 20; at += 1) {
    const [response] = await once(get(`${url}/metrics`, { agent }), "response");
    let bytes = 0;
    for await (const piece of response) bytes += piece.length;
    expect(bytes).toBe(1_000_000);
  }
  expect(asked).toHaveLength(20);
});
