import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";

const nobodyChecked = { servername: "a.example", rejectUnauthorized: false } as const;

/** What openssl says of a handshake, and what it got to a request. */
export async function openssl(port: number, ...options: string[]): Promise<string> {
  const client = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", ...options]);
  client.stdin.on("error", () => {});
  client.stdin.end("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  const [out, err] = await Promise.all([text(client.stdout), text(client.stderr)]);
  return `${out}\n${err}`;
}

/** Resolves when the handshake is over; ends with the test. */
export async function connectSecure(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ port, host: "127.0.0.1", ...nobodyChecked, ...options });
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** A client that has begun a handshake, and goes on with it when told. */
export async function beginHandshake(port: number) {
  const raw = connect(port, "127.0.0.1");
  onTestFinished(() => void raw.destroy());
  await once(raw, "connect");
  const held: Buffer[] = [];
  let holds = true;
  const socket = connectTls({
    socket: sending(raw, (bytes) => {
      if (!holds) raw.write(bytes);
      else if (held.length > 0) held.push(bytes);
      else {
        raw.write(bytes.subarray(0, 20));
        held.push(bytes.subarray(20));
      }
    }),
    ...nobodyChecked,
  });
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  const closed = once(raw, "close");
  return {
    closed,
    async goOn(): Promise<TLSSocket> {
      holds = false;
      raw.write(Buffer.concat(held));
      await once(socket, "secureConnect");
      return socket;
    },
  };
}

/** PROXY protocol v2, by hand: from 192.0.2.7:54321 to 10.0.0.1:443. */
export const proxyHeaderV2 = Buffer.from("0d0a0d0a000d0a515549540a2111000cc00002070a000001d43101bb", "hex");

/** A handshake whose bytes, with `header` before them, come in segments of `size`. Resolves when it is over, with the ClientHello's length. */
export async function handshakeInPieces(port: number, header: Buffer, size: number) {
  const raw = connect(port, "127.0.0.1");
  raw.setNoDelay(true);
  onTestFinished(() => void raw.destroy());
  await once(raw, "connect");
  let hello = 0;
  let sent = Promise.resolve();
  const send = async (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += size) {
      raw.write(bytes.subarray(at, at + size));
      // Whoever reads it may be in this process.
      await new Promise((next) => setImmediate(next));
    }
  };
  const stream = sending(raw, (bytes) => {
    const all = hello === 0 ? Buffer.concat([header, bytes]) : bytes;
    hello ||= bytes.length;
    sent = sent.then(() => send(all));
  });
  const socket = connectTls({ socket: stream, ...nobodyChecked });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return { socket, hello };
}

/** A stream over the socket that has what is written sent by `send`. (TLS writes to a socket's own handle past its methods.) */
export function sending(raw: Socket, send: (bytes: Buffer) => void): Duplex {
  const stream = new Duplex({
    read: () => void raw.resume(),
    write: (bytes: Buffer, _, done) => {
      send(bytes);
      done();
    },
    final: (done) => void raw.end(done),
    destroy: (error, done) => {
      raw.destroy();
      done(error);
    },
  });
  raw.on("data", (bytes: Buffer) => {
    if (!stream.push(bytes)) raw.pause();
  });
  raw.on("end", () => stream.push(null));
  raw.on("error", (error) => stream.destroy(error));
  raw.on("close", () => stream.destroy());
  return stream;
}
