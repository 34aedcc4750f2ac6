import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePorts, takePort } from "../../test/support/free-ports.ts";
import { SharedPorts, type Sharer } from "./shared-ports.ts";

/** A worker that keeps what it is given until the test says what became of it. */
class KeptSharer implements Sharer {
  readonly child = { connected: true };
  readonly given: { socket: Socket; settled: (arrived: boolean) => void }[] = [];

  give(_: unknown, socket: Socket, settled: (arrived: boolean) => void): void {
    this.given.push({ socket, settled });
  }
}

describe("shared ports", () => {
  const sharers = [new KeptSharer(), new KeptSharer()] as [KeptSharer, KeptSharer];
  const [one, other] = sharers;
  let ports: SharedPorts;
  let port: number;
  let clients: Socket[];

  beforeEach(async () => {
    port = await freePorts(1);
    ports = new SharedPorts({ publicHost: "127.0.0.1" });
    clients = [];
    for (const sharer of sharers) {
      sharer.given.length = 0;
      sharer.child.connected = true;
      expect(await ports.share({ port }, sharer)).toBeUndefined();
    }
  });

  afterEach(() => {
    for (const sharer of sharers) {
      ports.leaveAll(sharer);
      for (const { socket } of sharer.given) socket.destroy();
    }
    for (const client of clients) client.destroy();
  });

  async function arrive(): Promise<void> {
    const before = one.given.length + other.given.length;
    clients.push(connect(port, "127.0.0.1").on("error", () => {}));
    await expect.poll(() => one.given.length + other.given.length).toBe(before + 1);
  }

  it("connections go to those who share in turn", async () => {
    for (let count = 0; count < 4; count += 1) await arrive();
    expect([one.given.length, other.given.length]).toEqual([2, 2]);
  });

  it("FAULTS 44: what a worker had not acknowledged when its channel ended goes to another", async () => {
    await arrive();
    await arrive();
    const { socket } = one.given[0]!;
    one.child.connected = false;
    ports.leaveAll(one);
    expect(other.given.map((given) => given.socket)).toContain(socket);
    expect(socket.destroyed).toBe(false);
  });

  it("what arrived is closed here only; what no descriptor was left for is reset", async () => {
    await arrive();
    await arrive();
    one.given[0]!.settled(true);
    expect(one.given[0]!.socket.destroyed).toBe(true);
    other.given[0]!.settled(false);
    await expect.poll(() => clients.some(({ destroyed }) => destroyed)).toBe(true);
  });

  it("the port is open as long as somebody shares it", async () => {
    ports.leave({ port }, one);
    await arrive();
    ports.leave({ port }, other);
    const [error] = await once(connect(port, "127.0.0.1"), "error");
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("what listen fails with is told, and the port may be asked for again", async () => {
    const { port: taken, server } = await takePort();
    expect(await ports.share({ port: taken }, one)).toBe("EADDRINUSE");
    server.close();
    await once(server, "close");
    expect(await ports.share({ port: taken }, one)).toBeUndefined();
  });

  it("a port goes no further than its program asked, nor than the public port", async () => {
    const hosts: [string | undefined, string, string][] = [
      [undefined, "127.0.0.1", "127.0.0.1"],
      ["0.0.0.0", "127.0.0.1", "127.0.0.1"],
      ["127.0.0.1", "0.0.0.0", "127.0.0.1"],
      [undefined, "0.0.0.0", "127.0.0.2"],
    ];
    for (const [asked, publicHost, reached] of hosts) {
      const shared = new SharedPorts({ publicHost });
      const place = asked === undefined ? { port: await freePorts(1) } : { port: await freePorts(1), host: asked };
      expect(await shared.share(place, one)).toBeUndefined();
      const client = connect(place.port, reached);
      await once(client, "connect");
      client.destroy();
      const elsewhere = connect(place.port, "127.0.0.3");
      const answer = await once(elsewhere, "connect").then(
        () => "open",
        () => "refused",
      );
      elsewhere.destroy();
      expect(answer).toBe(reached === "127.0.0.2" ? "open" : "refused");
      shared.leaveAll(one);
    }
  });

  it("a program cannot open ports without end", async () => {
    const codes = new Set<string | undefined>();
    // Beyond those that systems give to connections; it does not matter if some are taken.
    for (let other = 61_000; other < 61_400; other += 1) codes.add(await ports.share({ port: other }, one));
    expect(codes).toContain("EMFILE");
  });
});
