import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

export type TransportKind = "polling" | "websocket" | "upgrade";

export const transportsOf: Readonly<Record<TransportKind, string[]>> = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgrade: ["polling", "websocket"],
};

export interface ClientOptions extends Partial<ManagerOptions & SocketOptions> {
  readonly transport?: TransportKind;
  readonly namespace?: string;
}

interface Answer {
  readonly result?: unknown;
  readonly error?: string;
  readonly responses?: unknown;
}

/** A client with a record of what it was sent. */
export class SocketClient {
  readonly socket: Socket;
  /** Events but the greeting, in the order of their arrival. */
  readonly received: [event: string, ...args: unknown[]][] = [];
  /** Reasons for which it lost its connection. */
  readonly losses: string[] = [];
  instance = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("welcome", (instance: number) => {
      this.instance = instance;
    });
    socket.onAny((event: string, ...args: unknown[]) => {
      if (typeof args.at(-1) === "function") return;
      if (event !== "welcome") this.received.push([event, ...args]);
    });
    socket.on("disconnect", (reason) => this.losses.push(reason));
  }

  /** Has the server do something, and resolves with what comes of it. */
  async order(order: string, ...args: unknown[]): Promise<unknown> {
    const { result, error, responses } = (await this.socket.timeout(8_000).emitWithAck("do", order, args)) as Answer;
    if (error !== undefined) throw Object.assign(new Error(error), { responses });
    return result;
  }

  close(): void {
    this.socket.disconnect();
  }
}

/** Resolves when the client is connected, greeted and, where it is to be, upgraded. */
export async function connect(
  url: string,
  { transport = "websocket", namespace = "/", ...options }: ClientOptions = {},
): Promise<SocketClient> {
  const socket = io(`${url}${namespace}`, {
    transports: transportsOf[transport],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
    ...options,
  });
  const client = new SocketClient(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect_error", reject);
    socket.once("welcome", () => {
      socket.off("connect_error", reject);
      resolve();
    });
  });
  const { engine } = socket.io;
  if (transport === "upgrade" && engine.transport.name !== "websocket") {
    await new Promise<void>((resolve) => engine.once("upgrade", () => resolve()));
  }
  return client;
}

/** One client on each of `count` instances, in their order. */
export async function connectToEach(url: string, count: number, options?: ClientOptions): Promise<SocketClient[]> {
  const byInstance = new Map<number, SocketClient>();
  // Neither is a limit by itself: a busy machine is slow, and a quick one is ahead of what instances report.
  const patientUntil = performance.now() + 5_000;
  for (let attempts = 0; byInstance.size < count; attempts++) {
    if (attempts > 20 * count && performance.now() > patientUntil)
      throw new Error(`Only the instances ${[...byInstance.keys()]} take clients`);
    const client = await connect(url, options);
    if (byInstance.has(client.instance)) client.close();
    else byInstance.set(client.instance, client);
  }
  return [...byInstance.entries()].sort(([a], [b]) => a - b).map(([, client]) => client);
}
