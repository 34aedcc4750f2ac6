import { connect, type TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import {
  ack,
  errorNames,
  type Frame,
  firstStatus,
  frame,
  preface,
  readFrames,
  request,
  type requestFields,
} from "./http2-frames.ts";

/** A client that sends exactly the frames it is given, over TLS, and keeps those it gets. */
export class RawHttp2Client {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  /** Ends with the test. `opening`: what it sends at first; default the preface and empty settings. */
  static async ofTest(
    port: number,
    opening: Buffer = Buffer.concat([preface, frame("settings")]),
  ): Promise<RawHttp2Client> {
    const socket = connect({
      ...{ port, host: "127.0.0.1", servername: "a.example", rejectUnauthorized: false, ALPNProtocols: ["h2"] },
    });
    onTestFinished(() => void socket.destroy());
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    const client = new RawHttp2Client(socket);
    client.send(opening);
    return client;
  }

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      const { frames, rest } = readFrames(Buffer.concat([this.#rest, chunk]));
      this.#rest = rest;
      for (const got of frames) {
        this.frames.push(got);
        if (got.type === "settings" && (got.flags & ack) === 0) this.send(frame("settings", { flags: ack }));
        if (got.type === "ping" && (got.flags & ack) === 0) this.send(frame("ping", { ...got, flags: ack }));
      }
      this.#wake();
    });
    socket.on("error", () => {});
    for (const end of ["end", "close"]) {
      socket.on(end, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(...bytes: readonly Buffer[]): this {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(bytes));
    return this;
  }

  /** False: as much waits to be sent as a socket takes. */
  sendMuch(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.destroyed || this.socket.write(bytes)) resolve();
      else {
        const done = () => {
          this.socket.off("drain", done).off("close", done);
          resolve();
        };
        this.socket.on("drain", done).on("close", done);
      }
    });
  }

  async until<Found>(find: () => Found | undefined | false): Promise<Found> {
    for (;;) {
      const found = find();
      if (found !== undefined && found !== false) return found;
      if (this.#ended) throw new Error(`The connection ended; received: ${this.summary.join(", ")}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async untilEnded(): Promise<void> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The error that the stream was reset with, or the connection was ended with. */
  async failure(stream?: number): Promise<string> {
    const type = stream === undefined ? "goaway" : "rstStream";
    const at = stream === undefined ? 4 : 0;
    const found = await this.until(() => this.frames.find((got) => got.type === type && got.stream === (stream ?? 0)));
    return errorNames[found.payload.readUInt32BE(at)] ?? "unknown";
  }

  /** Asks on a stream of its own, and says what the frames on it were until its end. */
  async ask(stream: number, fields?: ReturnType<typeof requestFields>): Promise<string> {
    this.send(request(stream, fields));
    return await this.end(stream);
  }

  /** `:status` is not decoded: `answered` says that there was a head and then an end, else the error. */
  async end(stream: number): Promise<string> {
    const last = await this.until(() =>
      this.frames.find(
        ({ type, flags, stream: id }) =>
          id === stream && (type === "rstStream" || ((type === "headers" || type === "data") && (flags & 1) !== 0)),
      ),
    );
    return last.type === "rstStream" ? (errorNames[last.payload.readUInt32BE(0)] ?? "unknown") : "answered";
  }

  /** Of the first response on this connection. */
  async status(stream: number): Promise<number> {
    const head = await this.until(() =>
      this.frames.find(({ type, stream: id }) => type === "headers" && id === stream),
    );
    return firstStatus(head.payload);
  }

  get summary(): readonly string[] {
    return this.frames.map(({ type, flags, stream, payload }) => `${type}/${flags} #${stream} ${payload.length}`);
  }
}
