import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../../core/test/support/eventually.ts";
import { connectToEach, type SocketClient, type TransportKind } from "./socket-client.ts";
import { SocketCluster } from "./socket-cluster.ts";

const instances = 3;
const transports: readonly TransportKind[] = ["polling", "websocket", "upgrade"];

/** What Socket.IO promises of several servers, over both modes and all transports. */
export function describeScenarios(name: string, socketOptions: () => object, io: object = {}): void {
  describe.each(["proxy", "handoff"] as const)(`${name} in %s mode`, (mode) => {
    let cluster: SocketCluster;
    beforeAll(async () => {
      cluster = await SocketCluster.start({ cluster: { mode, instances }, socket: socketOptions(), io });
    });
    afterAll(() => cluster.stop());

    describe.each(transports)("over %s", (transport) => {
      let clients: SocketClient[];
      beforeAll(async () => {
        clients = await connectToEach(cluster.url, instances, { transport });
        await everybodyMeets(clients);
      });
      afterAll(() => {
        for (const client of clients) client.close();
      });
      scenarios(
        () => clients,
        () => cluster.url,
        transport,
      );
    });
  });
}

/** Until events pass from each instance to each other one: subscriptions are made while clients connect already. */
async function everybodyMeets(clients: readonly SocketClient[]): Promise<void> {
  for (const [index, client] of clients.entries()) {
    const event = `hello from ${index}`;
    const met = async () => {
      await client.order("broadcast", event);
      return clients.every(({ received }) => received.some(([name]) => name === event));
    };
    await eventually(met, { what: `events of instance ${client.instance} reach all` });
  }
}

/** Events arrive within milliseconds; there are many tests. */
const soon = { interval: 5 };

let labels = 0;

function scenarios(clients: () => readonly SocketClient[], url: () => string, transport: TransportKind): void {
  /** A name that no other test uses. */
  const fresh = (what: string) => `${what} ${transport} ${++labels}`;
  const got = (client: SocketClient, event: string) =>
    client.received.filter(([name]) => name === event).map(([, ...args]) => args);
  /** Asserts who got `event`, how often, and that nobody else does by the time a later event has arrived. */
  async function expectReceived(event: string, expected: readonly unknown[][][]): Promise<void> {
    const end = fresh("end");
    for (const client of clients()) await client.order("broadcast", end);
    await expect
      .poll(() => clients().map((client) => got(client, end).length), soon)
      .toEqual(clients().map(() => clients().length));
    await expect.poll(() => clients().map((client) => got(client, event)), soon).toEqual(expected);
  }
  const everybody = <T>(value: T) => clients().map(() => value);

  test("a broadcast from any instance reaches the clients of all, once", async () => {
    for (const client of clients()) {
      const event = fresh("news");
      await client.order("broadcast", event, { from: client.instance });
      await expectReceived(event, everybody([[{ from: client.instance }]]));
    }
  });

  test("binary arrives as it was sent", async () => {
    const event = fresh("binary");
    const bytes = Buffer.from(Array.from({ length: 2_000 }, (_, index) => index % 256));
    await clients()[0]!.order("broadcast", event, { bytes, and: "text" });
    await expect.poll(() => clients().map((client) => got(client, event).length), soon).toEqual(everybody(1));
    for (const client of clients()) {
      const [[payload]] = got(client, event) as [[{ bytes: Uint8Array; and: string }]];
      expect(payload.and).toBe("text");
      expect(Buffer.from(payload.bytes).equals(bytes)).toBe(true);
    }
  });

  test("a socket's broadcast reaches all but itself", async () => {
    const event = fresh("others");
    await clients()[1]!.order("toOthers", event, 1);
    await expectReceived(event, [[[1]], [], [[1]]]);
  });

  test("a room reaches its members on whichever instance; except() leaves them out", async () => {
    const room = fresh("room");
    await clients()[0]!.order("join", room);
    await clients()[2]!.order("join", room);
    const [to, except] = [fresh("to"), fresh("except")];
    await clients()[1]!.order("toRoom", room, to, "members");
    await clients()[1]!.order("except", room, except, "others");
    await expectReceived(to, [[["members"]], [], [["members"]]]);
    await expectReceived(except, [[], [["others"]], []]);
  });

  test("sockets of other instances join and leave rooms", async () => {
    const [room, other] = [fresh("room"), fresh("other room")];
    const [first, second] = clients();
    await second!.order("join", room);
    await first!.order("everybodyJoins", room, other);
    const members = async () => ((await first!.order("fetch", other)) as { id: string }[]).map(({ id }) => id);
    await expect.poll(members, soon).toEqual([second!.socket.id]);
    await first!.order("everybodyLeaves", other);
    await expect.poll(members, soon).toEqual([]);
  });

  test("fetchSockets() finds those of all instances, and which instance serves them", async () => {
    const room = fresh("room");
    for (const client of clients()) await client.order("join", room);
    const found = (await clients()[1]!.order("fetch", room)) as { id: string; data: unknown; rooms: string[] }[];
    const expected = clients().map(({ socket, instance }) => ({ id: socket.id!, data: { instance } }));
    expect(found.map(({ id, data }) => ({ id, data })).sort(byId)).toEqual(expected.sort(byId));
    for (const { rooms } of found) expect(rooms).toContain(room);
  });

  test("all clients answer a broadcast with an acknowledgement; one that does not is waited for until the timeout", async () => {
    const [room, event] = [fresh("room"), fresh("question")];
    for (const client of clients()) await client.order("join", room);
    const [first, second, third] = clients();
    first!.socket.once(event, (answer: (value: unknown) => void) => answer("one"));
    second!.socket.once(event, (answer: (value: unknown) => void) => answer("two"));
    third!.socket.once(event, (answer: (value: unknown) => void) => answer(Buffer.from("three")));
    const answers = (await second!.order("askAll", room, 5_000, event)) as unknown[];
    expect(
      answers.map((answer) => (typeof answer === "string" ? answer : Buffer.from(answer as never).toString())).sort(),
    ).toEqual(["one", "three", "two"]);

    // How long an answer takes is the machine's affair.
    let answered: unknown[] = [];
    for (let timeoutMs = 400; timeoutMs < 10_000 && answered.length === 0; timeoutMs *= 2) {
      first!.socket.once(event, (answer: (value: unknown) => void) => answer("one"));
      const refused = await third!.order("askAll", room, timeoutMs, event).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Error);
      answered = (refused as { responses: unknown[] }).responses;
    }
    expect(answered).toEqual(["one"]);
  });

  test("servers ask one another", async () => {
    const answers = (await clients()[0]!.order("askInstances")) as string[];
    expect(answers.sort()).toEqual(["2", "3"]);
  });

  test.each(["/before", "/after"])("the namespace %s is a world of its own", async (namespace) => {
    const inside = await connectToEach(url(), 2, { transport, namespace });
    try {
      const event = fresh("inside");
      await inside[0]!.order("broadcast", event, 1);
      await expect.poll(() => inside.map((client) => got(client, event)), soon).toEqual([[[1]], [[1]]]);
      await expectReceived(event, everybody([]));
    } finally {
      for (const client of inside) client.close();
    }
  });

  test("sockets of other instances are disconnected", async () => {
    const room = fresh("room");
    const [victim] = (await connectToEach(url(), instances, { transport, reconnection: false })).map(
      (client, index) => {
        if (index > 0) client.close();
        return client;
      },
    );
    await victim!.order("join", room);
    await clients()[1]!.order("disconnect", room);
    await expect.poll(() => victim!.losses, soon).toEqual(["io server disconnect"]);
  });
}

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}
