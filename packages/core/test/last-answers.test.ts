// How connections end that clients keep alive: RFC 9112 §9.6. The last answer says that it is the last, and an idle
// connection may bring one more request.
import { describe, expect, it, onTestFinished } from "vitest";
import type { ClusterStatus } from "../src/index.ts";
import { edge, refuses } from "./support/edge.ts";
import { eventually } from "./support/eventually.ts";
import { startPosting } from "./support/posting-clients.ts";
import { startPrimary } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";

/** On connections of their own: a relay or gateway would take the place of those that are refused. */
const clientsOf = ({ port, https }: ClusterStatus) =>
  edge === "plain" ? { port, connect: RawClient.connect } : { port: https!.port, connect: RawClient.connectSecure };

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  const start = (options: object = {}) =>
    startPrimary("app.ts", { env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 2, ...options }) } });

  const clientOf = async (up: ClusterStatus) => {
    const { port, connect } = clientsOf(up);
    const client = await connect(port);
    onTestFinished(() => client.destroy());
    return client;
  };

  describe("SIGTERM", () => {
    it("leaves no request of sixty busy clients without an answer", async () => {
      const { primary, up } = await start();
      const clients = startPosting(clientsOf(up), 60);
      await eventually(() => clients.ledger.answered > 600, { what: "everybody is served" });
      primary.kill("SIGTERM");
      await clients.ended;
      expect(clients.ledger).toMatchObject({ unanswered: 0, refused: 60 });
      expect(await primary.exited).toEqual({ code: 0, signal: null });
    });

    it("lets idle connections bring one more request, used and unused, and ends them soon", async () => {
      const { primary, up } = await start();
      const [used, silent, unused] = [await clientOf(up), await clientOf(up), await clientOf(up)];
      const streaming = await clientOf(up);
      for (const client of [used, silent]) await client.send(get("/whoami")).response();
      streaming.send(get("/stream?ms=400"));
      await streaming.until(() => streaming.pending.includes("first"));
      primary.kill("SIGTERM");
      await eventually(() => refuses(up.port), { what: "connections are refused" });
      for (const client of [used, unused]) {
        const { status, headers } = await client.send(get("/whoami")).response();
        expect([status, headers["connection"]]).toEqual([200, "close"]);
        await client.closed;
      }
      // Its head had gone out before, and said nothing of an end.
      const { headers, body } = await streaming.response();
      expect([headers["connection"], `${body}`]).toEqual([mode === "proxy" ? undefined : "keep-alive", "first last"]);
      expect(await streaming.send(get("/whoami")).response()).toMatchObject({ headers: { connection: "close" } });
      await silent.closed;
      expect(silent.pending.length).toBe(0);
      expect(await primary.exited).toEqual({ code: 0, signal: null });
    });
  });

  it("a restart leaves no request to the instance's own port without an answer", async () => {
    const { primary, up } = await start();
    const clients = startPosting({ port: up.instances[0]!.port, connect: RawClient.connect }, 30);
    await eventually(() => clients.ledger.answered > 300, { what: "everybody is served" });
    await primary.operate("restart", 1);
    await clients.stop();
    expect(clients.ledger).toMatchObject({ unanswered: 0 });
  });

  it("a reload and a scale-down leave no request without an answer", async () => {
    const { primary, up } = await start();
    const clients = startPosting(clientsOf(up), 60);
    await eventually(() => clients.ledger.answered > 600, { what: "everybody is served" });
    await primary.operate("reload", { watchMs: 200 });
    await primary.operate("scale", 1);
    await clients.stop();
    expect(clients.ledger).toMatchObject({ unanswered: 0, refused: 0 });
  });
});
