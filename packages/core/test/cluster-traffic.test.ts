// What a cluster counts of its traffic, against what its clients have seen: the same numbers, in both modes.
import { once } from "node:events";
import { Agent } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { httpGet } from "./support/http-get.ts";
import { Ledger } from "./support/ledger.ts";
import { leavesEarly, saysNonsense } from "./support/odd-clients.ts";
import { PrimaryProcess } from "./support/primary-process.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  async function startCluster() {
    const ledger = new Ledger();
    const primary = new PrimaryProcess("ledger.ts", {
      env: {
        LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 2, allowedHosts: ["127.0.0.1"] }),
        LB_TEST_LEDGER: ledger.path,
      },
    });
    const { port } = await primary.up();
    return { primary, port, url: `http://127.0.0.1:${port}` };
  }

  test("requests, by status and by who answered, bytes, times, tunnels and clients that left", async () => {
    const { primary, port, url } = await startCluster();
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    onTestFinished(() => agent.destroy());
    const work = Array.from({ length: 20 }, () => httpGet(`${url}/work?ms=20`, { agent }));
    const statuses = (await Promise.all(work)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    for (let n = 0; n < 5; n++) await httpGet(`${url}/missing`, { agent });
    await httpGet(`${url}/work`, { method: "POST", body: Buffer.alloc(50_000), agent });
    for (const connection of [agent, undefined]) {
      const refused = { headers: { host: "elsewhere.example" }, ...(connection && { agent: connection }) };
      expect((await httpGet(`${url}/work`, refused)).status).toBe(421);
    }
    await saysNonsense(port);
    await leavesEarly(primary, `${url}/never?id=x`);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(socket, "message");
    await primary.statusThat(({ traffic }) => traffic.total.byStatus["1xx"] === 1);
    await primary.statusThat(({ traffic }) => Object.values(traffic.instances).some(({ tunnels }) => tunnels === 1));
    socket.send("x".repeat(1_000));
    await once(socket, "message");
    socket.close();
    await once(socket, "close");
    const { traffic } = await primary.statusThat(({ traffic: now }) =>
      Object.values(now.instances).every(({ tunnels }) => tunnels === 0),
    );
    const { total } = traffic;
    expect(total).toMatchObject({
      requests: 20 + 5 + 1 + 2 + 1 + 1,
      byStatus: { "1xx": 1, "2xx": 21, "3xx": 0, "4xx": 7, "5xx": 0 },
      byFront: 2,
      unanswered: 1,
      left: 1,
      cut: 0,
    });
    expect(total.bytesIn).toBeGreaterThan(51_000);
    expect(total.bytesOut).toBeGreaterThan(1_000);
    expect(total.totalMs.p50!).toBeGreaterThan(15);
    const instances = Object.values(traffic.instances);
    const atInstances = instances.reduce((sum, { requests }) => sum + requests, 0);
    // In hand-off mode an instance refuses on its connections itself.
    expect(atInstances).toBe(mode === "proxy" ? total.requests - 2 : total.requests - 1);
    expect(traffic.listeners).toHaveLength(1);
    expect(traffic.listeners[0]).toMatchObject({ badHeads: 1, refused: { connections: 0, denied: 0 } });
    expect(traffic.routes[""]!.requests).toBe(total.requests);
    await primary.statusThat(({ traffic: now }) => now.lastMinute !== null && now.lastMinute.requestsPerSecond > 0);
  });

  test("what was counted stays when the instance that it happened at has died", async () => {
    const { primary, url } = await startCluster();
    for (let n = 0; n < 10; n++) await httpGet(`${url}/work`);
    const before = await primary.statusThat(({ traffic }) => traffic.total.requests === 10);
    const [first] = before.instances;
    process.kill(first!.pid!, "SIGKILL");
    await primary.statusThat(({ tallies, instances }) => {
      const { pid, state } = instances[0]!;
      return tallies.exits[1]?.["crashed"] === 1 && state === "ready" && pid !== first!.pid;
    });
    for (let n = 0; n < 10; n++) await httpGet(`${url}/work`);
    const after = await primary.statusThat(({ traffic }) => traffic.total.requests === 20);
    for (const id of [1, 2]) {
      expect(after.traffic.instances[id]!.requests).toBeGreaterThanOrEqual(before.traffic.instances[id]!.requests);
    }
  });
});
