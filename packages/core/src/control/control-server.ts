import { chmodSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { LbError } from "../model/errors.ts";
import {
  type ControlFailure,
  type ControlReply,
  controlVersion,
  LineReader,
  maxRequestLength,
  readRequest,
} from "./control-protocol.ts";

/**
 * Does what a client asks for; `tell` sends an event meanwhile, and resolves when the client takes more: whoever has much to tell
 * waits for that. What it throws or rejects with is the client's answer.
 */
export type ControlCommand = (
  argument: unknown,
  tell: (event: unknown) => Promise<void>,
  signal: AbortSignal,
) => unknown;

/** More clients at a time are turned away. */
const maxClients = 32;
/** A client that does not read so much of what it asked for is dropped. */
const maxUnreadBytes = 4_194_304;

/** The control socket of a primary: one request a connection, answered by one of the commands. */
export class ControlServer {
  readonly #path: string;
  readonly #commands: Readonly<Record<string, ControlCommand>>;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  constructor(path: string, commands: Readonly<Record<string, ControlCommand>>) {
    this.#path = path;
    this.#commands = commands;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = maxClients;
    // A control socket holds no process.
    this.#server.unref();
  }

  /** Rejects with the system's error. */
  listen(): Promise<void> {
    rmSync(this.#path, { force: true });
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      // It is bound within the call, so that there is no moment in which others could connect.
      const mask = process.umask(0o177);
      this.#server.listen(this.#path, () => {
        this.#server.off("error", reject);
        this.#server.on("error", () => {});
        try {
          chmodSync(this.#path, 0o600);
          resolve();
        } catch (error) {
          this.close();
          reject(error);
        }
      });
      process.umask(mask);
    });
  }

  /** No client comes any more; those that are there are answered. */
  leave(): void {
    this.#server.close();
    rmSync(this.#path, { force: true });
  }

  close(): void {
    this.#server.close();
    for (const client of this.#clients) client.end();
    rmSync(this.#path, { force: true });
  }

  #accept(socket: Socket): void {
    const lines = new LineReader(maxRequestLength);
    const gone = new AbortController();
    let asked = false;
    this.#clients.add(socket);
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#clients.delete(socket);
      gone.abort();
    });
    socket.on("data", (text: string) => {
      // Whatever follows the request: the client wants no more of it, and waits for what becomes of that.
      if (asked) {
        gone.abort();
        return;
      }
      const [line] = lines.read(text) ?? [""];
      if (line === undefined) return;
      asked = true;
      void this.#serve(line, socket, gone.signal);
    });
  }

  async #serve(line: string, socket: Socket, signal: AbortSignal): Promise<void> {
    const reply = (message: ControlReply): Promise<void> => {
      if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
      if (socket.writableLength > maxUnreadBytes) socket.destroy();
      if (!socket.writableNeedDrain || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const go = () => {
          socket.off("drain", go).off("close", go);
          resolve();
        };
        socket.on("drain", go).on("close", go);
      });
    };
    try {
      const { command, argument } = this.#check(line);
      const result = await this.#commands[command]!(argument, (event) => reply({ event }), signal);
      void reply({ result: result ?? null });
    } catch (error) {
      void reply({ error: describe(error) });
    }
    socket.end();
  }

  #check(line: string): { readonly command: string; readonly argument: unknown } {
    const request = readRequest(line);
    if (request === undefined)
      throw new LbError("LB_CONTROL_REQUEST", "The request is not one line of JSON with a command.");
    const { version, command, argument } = request;
    if (version !== controlVersion) {
      const remedy = "use the `lb` of the version that the cluster runs.";
      throw new LbError(
        "LB_CONTROL_VERSION",
        `The cluster speaks version ${controlVersion}, the client ${version}: ${remedy}`,
      );
    }
    if (!Object.hasOwn(this.#commands, command)) {
      throw new LbError("LB_CONTROL_REQUEST", `There is no command ${JSON.stringify(command)}.`);
    }
    return { command, argument };
  }
}

function describe(error: unknown): ControlFailure {
  if (!(error instanceof Error)) return { code: "LB_CONTROL", message: String(error) };
  const {
    code = "LB_CONTROL",
    message,
    name: _name,
    cause: _cause,
    stack: _stack,
    ...details
  } = error as Error & { code?: string };
  return { code, message, details };
}
