// A process that holds many WebSocket clients. It speaks just enough of the protocol, so that it measures the server
// and not itself. Told what to do, and telling what came of it, over its channel.
import { connect, type Socket } from "node:net";

interface Open {
  readonly do: "open";
  readonly port: number;
  readonly count: number;
  /** Source addresses to connect from in turn, so that ports do not run out. */
  readonly from: readonly string[];
}
interface Chat {
  readonly do: "chat";
  /** Clients that send, each its next message when the last one has come back. */
  readonly clients: number;
  readonly seconds: number;
}

const payloadBytes = 64;
/** A masked binary frame; a mask of zeros leaves the payload as it is. */
const frame = Buffer.concat([Buffer.from([0x82, 0x80 | payloadBytes, 0, 0, 0, 0]), Buffer.alloc(payloadBytes, "x")]);
const echoBytes = payloadBytes + 2;

const sockets: Socket[] = [];
let closed = 0;

function open(port: number, localAddress: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.write(
        "GET / HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
    });
    let head = "";
    socket.on("data", function opening(chunk: Buffer) {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      socket.off("data", opening);
      if (!head.startsWith("HTTP/1.1 101")) {
        reject(new Error(head.slice(0, 100)));
        return;
      }
      sockets.push(socket);
      socket.on("close", () => closed++);
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve();
    });
  });
}

async function openAll({ port, count, from }: Open): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (next < count) await open(port, from[next++ % from.length]!);
    }),
  );
  process.send!({ open: sockets.length });
}

function chat({ clients, seconds }: Chat): void {
  let messages = 0;
  let running = true;
  for (const socket of sockets.slice(0, clients)) {
    let received = 0;
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      while (received >= echoBytes) {
        received -= echoBytes;
        messages++;
        if (running) socket.write(frame);
      }
    });
    socket.write(frame);
  }
  const startedAt = performance.now();
  setTimeout(() => {
    running = false;
    process.send!({ messages, seconds: (performance.now() - startedAt) / 1_000, closed });
  }, seconds * 1_000);
}

process.on("message", (message: Open | Chat) => {
  if (message.do === "chat") chat(message);
  else openAll(message).catch((error: unknown) => process.send!({ failed: String(error) }));
});
