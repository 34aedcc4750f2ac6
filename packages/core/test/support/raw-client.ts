import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { onTestFinished } from "vitest";

export interface RawResponse {
  readonly status: number;
  /** Field names in lower case; several fields of a name are joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly head: string;
  readonly body: Buffer;
}

/**
 * A client that sends exactly the bytes it is given. Reads responses with a small parser of its own, so that a mistake
 * in ours cannot hide itself.
 */
export class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  static async connect(port: number, options: { host?: string; localAddress?: string } = {}): Promise<RawClient> {
    const socket = connect({ port, host: options.host ?? "127.0.0.1", allowHalfOpen: true, ...options });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket);
  }

  /** Over TLS, whatever the certificate. */
  static async connectSecure(port: number): Promise<RawClient> {
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket);
  }

  /** Ends with the test. */
  static async ofTest(port: number, options?: { localAddress?: string }): Promise<RawClient> {
    const client = await RawClient.connect(port, options);
    onTestFinished(() => client.destroy());
    return client;
  }

  /** Over a socket of the test's. */
  static over(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      const end = () => {
        this.#ended = true;
        this.#wake();
        resolve();
      };
      socket.on("end", end);
      socket.on("close", end);
    });
  }

  /** Nothing more will come: the peer sent FIN or reset the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What was received and not yet read. */
  get pending(): Buffer {
    return this.#received;
  }

  send(bytes: string | Buffer): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#ended)
        throw new Error(
          `connection ended; received: ${JSON.stringify(this.#received.toString("latin1").slice(0, 500))}`,
        );
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Reads one response, 1xx included. `method` "HEAD" tells that it has no body. */
  async response(method = "GET"): Promise<RawResponse> {
    await this.until(() => this.#received.includes("\r\n\r\n"));
    const headEnd = this.#received.indexOf("\r\n\r\n") + 4;
    const head = this.#received.subarray(0, headEnd).toString("latin1");
    const status = Number(head.slice(9, 12));
    const headers: Record<string, string> = {};
    for (const line of head.split("\r\n").slice(1, -2)) {
      const name = line.slice(0, line.indexOf(":")).toLowerCase();
      const value = line.slice(line.indexOf(":") + 1).trim();
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    this.#received = this.#received.subarray(headEnd);
    const body = await this.#body(method, status, headers);
    return { status, headers, head, body };
  }

  async #body(method: string, status: number, headers: Record<string, string>): Promise<Buffer> {
    if (method === "HEAD" || status < 200 || status === 204 || status === 304) return Buffer.alloc(0);
    if (headers["transfer-encoding"] === "chunked") return this.#chunked();
    const length = headers["content-length"];
    if (length !== undefined) return this.take(Number(length));
    await this.closed;
    return this.take(this.#received.length);
  }

  async take(length: number): Promise<Buffer> {
    await this.until(() => this.#received.length >= length);
    const bytes = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return bytes;
  }

  async #line(): Promise<string> {
    await this.until(() => this.#received.includes("\r\n"));
    const line = await this.take(this.#received.indexOf("\r\n") + 2);
    return line.toString("latin1").slice(0, -2);
  }

  async #chunked(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16);
      if (size === 0) break;
      chunks.push(Buffer.from(await this.take(size)));
      if ((await this.#line()) !== "") throw new Error("no CRLF behind a chunk");
    }
    while ((await this.#line()) !== "");
    return Buffer.concat(chunks);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Sends the bytes on a connection of their own and reads one response. */
export async function exchange(port: number, bytes: string | Buffer, method = "GET"): Promise<RawResponse> {
  const client = await RawClient.connect(port);
  try {
    return await client.send(bytes).response(method);
  } finally {
    client.destroy();
  }
}
