import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MemorySocket } from "./memory-socket.ts";

/** A message as Node's own parser sees it; every string latin1. */
interface NodeMessage {
  readonly rawHeaders: readonly string[];
  body: string;
  rawTrailers: readonly string[];
  /** Node saw its end. */
  complete: boolean;
}

export interface NodeRequest extends NodeMessage {
  readonly method: string;
  readonly target: string;
}

export interface NodeResponse extends NodeMessage {
  readonly status: number;
  readonly reason: string;
  /** 1xx responses that came before it. */
  readonly interim: readonly number[];
}

export interface NodeReading<M> {
  readonly messages: readonly M[];
  /** Code of the error with which Node refused the bytes. */
  readonly error: string | undefined;
}

const limits = { maxHeaderSize: 1 << 17, insecureHTTPParser: false };

/** Reads requests with an `http.Server` that is given connections and never listens. */
export class NodeRequestOracle {
  readonly #server: Server;
  readonly #readings = new WeakMap<object, { messages: NodeRequest[]; error: string | undefined }>();

  constructor() {
    this.#server = createServer(limits, (message) => {
      const request = { method: message.method ?? "", target: message.url ?? "" };
      this.#readings.get(message.socket)?.messages.push(Object.assign(begun(message), request));
    });
    this.#server.maxHeadersCount = 0;
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      const reading = this.#readings.get(socket);
      if (reading !== undefined) reading.error ??= error.code ?? error.message;
    });
  }

  /** All requests in `bytes`, on a connection that stays open behind them. */
  async read(bytes: Buffer): Promise<NodeReading<NodeRequest>> {
    const socket = new MemorySocket();
    const reading = { messages: [] as NodeRequest[], error: undefined as string | undefined };
    this.#readings.set(socket, reading);
    this.#server.emit("connection", socket);
    socket.push(bytes);
    await settled();
    socket.destroy();
    return reading;
  }
}

/** Reads the response in `bytes` with an `http.ClientRequest`; the connection is closed behind them. */
export async function readAsNodeClient(bytes: Buffer, method: string): Promise<NodeReading<NodeResponse>> {
  const socket = new MemorySocket();
  const reading = { messages: [] as NodeResponse[], error: undefined as string | undefined };
  const interim: number[] = [];
  const add = (message: IncomingMessage): void => {
    const { statusCode: status = 0, statusMessage: reason = "" } = message;
    reading.messages.push(Object.assign(begun(message), { status, reason, interim }));
  };
  const request = httpRequest({ ...limits, method, host: "127.0.0.1", createConnection: () => socket });
  request.maxHeadersCount = 0;
  request.on("response", add);
  request.on("information", ({ statusCode }) => interim.push(statusCode));
  request.on("upgrade", add);
  request.on("error", (error: NodeJS.ErrnoException) => {
    reading.error ??= error.code ?? error.message;
  });
  request.end();
  await nextTurn();
  socket.push(bytes);
  socket.push(null);
  await settled();
  request.destroy();
  socket.destroy();
  return reading;
}

function begun(message: IncomingMessage): NodeMessage {
  const reading: NodeMessage = { rawHeaders: message.rawHeaders, body: "", rawTrailers: [], complete: false };
  message.setEncoding("latin1");
  message.on("data", (text: string) => {
    reading.body += text;
  });
  message.on("end", () => {
    reading.rawTrailers = message.rawTrailers;
    reading.complete = message.complete;
  });
  message.on("error", () => {
    // A message that is cut is one that is not complete.
  });
  return reading;
}

/** All that follows from bytes that are in memory happens in ticks and microtasks, which one turn runs to the end. */
async function settled(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
