import type {
  Transport,
  UpstreamClient,
  UpstreamFailure,
  UpstreamSink,
  UpstreamStream,
} from "../../src/front/transport/upstream.ts";

export class TestClient implements UpstreamClient {
  readonly remoteAddress = "192.0.2.44";
  readonly remotePort = 40_444;
  readonly encrypted = false;
  readonly streams = new Set<UpstreamStream>();

  origin() {
    const { remoteAddress: address, remotePort: port } = this;
    return { address, port, localAddress: "192.0.2.1", localPort: 80, tls: undefined };
  }
}

/** One exchange on a stream: writes down what comes, and what comes when it must not. */
export class TestExchange implements UpstreamSink {
  readonly stream: UpstreamStream;
  readonly #reads: Buffer[] = [];
  bytes = 0;
  ended = false;
  complete = false;
  failure: UpstreamFailure | undefined;
  writable = 0;
  /** Calls made while `open` had not returned, or after the stream was given back. */
  readonly outOfPlace: string[] = [];
  onBytes: (() => void) | undefined;
  #place: "opening" | "open" | "over" = "opening";

  constructor(transport: Transport, client: UpstreamClient, options: { readonly fresh?: boolean } = {}) {
    this.stream = transport.open(client, this, options.fresh ?? false);
    this.#place = "open";
  }

  get text(): string {
    return Buffer.concat(this.#reads).toString("latin1");
  }

  /** The response's body, if it has come with the length that its head names. */
  get body(): Buffer | undefined {
    const all = Buffer.concat(this.#reads);
    const headEnd = all.indexOf("\r\n\r\n");
    if (headEnd === -1) return undefined;
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(all.toString("latin1", 0, headEnd + 2));
    const body = all.subarray(headEnd + 4);
    return length !== null && body.length === Number(length[1]) ? body : undefined;
  }

  release(): void {
    this.stream.release();
    this.#place = "over";
  }

  destroy(): void {
    this.stream.destroy();
    this.#place = "over";
  }

  upstreamBytes(buffer: Buffer, start: number, end: number): boolean {
    this.#called("upstreamBytes");
    // Kept as it is: the memory must stay what it is.
    this.#reads.push(buffer.subarray(start, end));
    this.bytes += end - start;
    this.onBytes?.();
    return false;
  }

  upstreamComplete(): void {
    this.#called("upstreamComplete");
    this.complete = true;
  }

  upstreamEnd(): void {
    this.#called("upstreamEnd");
    this.ended = true;
  }

  upstreamFailed(failure: UpstreamFailure): void {
    this.#called("upstreamFailed");
    this.failure = failure;
    this.#place = "over";
  }

  upstreamWritable(): void {
    this.#called("upstreamWritable");
    this.writable++;
  }

  #called(what: string): void {
    if (this.#place !== "open") this.outOfPlace.push(`${what} while ${this.#place}`);
  }
}

export const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: contract\r\n\r\n`;
