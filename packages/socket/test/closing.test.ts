import { expect, test } from "vitest";
import type { TransportKind } from "./support/socket-client.ts";
import { SocketCluster } from "./support/socket-cluster.ts";

const transports: readonly TransportKind[] = ["polling", "websocket", "upgrade"];

test.each(["proxy", "handoff"] as const)(
  "a cluster with clients ends long before its grace is over, in %s mode",
  async (mode) => {
    await using cluster = await SocketCluster.start({ cluster: { mode, instances: 2, drainTimeoutMs: 20_000 } });
    const clients = await Promise.all(
      transports.map((transport) => cluster.connect({ transport, reconnection: false })),
    );
    const startedAt = performance.now();
    const exited = new Promise((resolve) => cluster.child.once("exit", resolve));
    cluster.child.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    // Who polls may be between two polls, and finds nobody with the next.
    const reasons = transports.map((transport) =>
      transport === "polling" ? [expect.stringMatching(/^transport (close|error)$/)] : ["transport close"],
    );
    await expect.poll(() => clients.map(({ losses }) => losses)).toEqual(reasons);
  },
);
