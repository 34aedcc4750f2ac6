// A process that holds many Socket.IO clients over WebSocket. It speaks just enough of the protocol, so that it measures
// the servers and not itself. Told what to do, and telling what came of it, over its channel.
import { WebSocket } from "ws";

interface Open {
  readonly do: "open";
  readonly url: string;
  readonly count: number;
  /** Source addresses to connect from in turn, so that ports do not run out. */
  readonly from: readonly string[];
}
/** Has the first client do something, and tells when all have got so many events since they were last expected. */
interface Expect {
  readonly do: "expect";
  readonly emit: readonly unknown[] | undefined;
  /** Over all clients of this process. */
  readonly events: number;
}
type Order =
  | Open
  | Expect
  | { readonly do: "count" }
  /** Keeps so many clients at each server, closes the others, and has each join a room of its own. */
  | { readonly do: "settle"; readonly perServer: number };

interface Client {
  readonly socket: WebSocket;
  /** The process that serves it. */
  readonly server: number;
}

const clients: Client[] = [];
const acknowledgements = new Map<WebSocket, () => void>();
let lost = 0;
let events = 0;
/** Those that were expected before. Another process may have something said before this one is told to expect it. */
let eventsBefore = 0;
let awaited: { readonly events: number; readonly reached: () => void } | undefined;

function open(url: string, localAddress: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, {
      localAddress,
      perMessageDeflate: false,
    });
    socket.once("error", reject);
    socket.on("message", (bytes: Buffer) => {
      const text = bytes.toString("latin1", 0, 16);
      if (text.startsWith('42["news"')) {
        events += 1;
        if (awaited !== undefined && events >= awaited.events) awaited.reached();
      } else if (text === "2") socket.send("3");
      else if (text.startsWith("0{")) socket.send("40");
      else if (text.startsWith("43")) acknowledgements.get(socket)?.();
      else if (text.startsWith("42[")) {
        const [, server] = JSON.parse(bytes.toString().slice(2)) as [string, number];
        clients.push({ socket, server });
        socket.off("error", reject);
        socket.on("error", () => {});
        resolve();
      }
    });
    socket.once("close", () => {
      lost += 1;
      reject(new Error("closed before it was connected"));
    });
  });
}

async function openAll({ url, count, from }: Open): Promise<void> {
  let next = 0;
  let refused = 0;
  const lanes = Array.from({ length: 32 }, async () => {
    while (next < count) await open(url, from[next++ % from.length]!).catch(() => refused++);
  });
  await Promise.all(lanes);
  process.send!({ open: clients.length, refused });
}

async function settle(perServer: number): Promise<void> {
  const kept = new Map<number, number>();
  for (const client of clients.splice(0)) {
    const there = kept.get(client.server) ?? 0;
    kept.set(client.server, there + 1);
    if (there < perServer) clients.push(client);
    else client.socket.close();
  }
  for (const [index, { socket }] of clients.entries()) {
    const joined = new Promise<void>((resolve) => acknowledgements.set(socket, resolve));
    socket.send(`420${JSON.stringify(["join", `room-${index}`])}`);
    await joined;
  }
  process.send!({ open: clients.length });
}

function expectEvents({ emit, events: expected }: Expect): void {
  const startedAt = performance.now();
  const reached = () => {
    awaited = undefined;
    process.send!({ events: events - eventsBefore, seconds: (performance.now() - startedAt) / 1_000 });
    eventsBefore = events;
  };
  awaited = { events: eventsBefore + expected, reached };
  if (events >= awaited.events) reached();
  if (emit !== undefined) clients[0]!.socket.send(`42${JSON.stringify(emit)}`);
}

process.on("message", (order: Order) => {
  switch (order.do) {
    case "open":
      void openAll(order);
      return;
    case "settle":
      void settle(order.perServer);
      return;
    case "expect":
      expectEvents(order);
      return;
    case "count":
      process.send!({
        open: clients.filter(({ socket }) => socket.readyState === WebSocket.OPEN).length,
        lost,
        events,
      });
      return;
  }
});
