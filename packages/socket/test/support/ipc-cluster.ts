import { resolve } from "node:path";
import type { ClusterStatus } from "@lb/core";
import { io as connect, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { onTestFinished } from "vitest";
import { PrimaryProcess } from "../../../core/test/support/primary-process.ts";

const fixture = resolve(import.meta.dirname, "../fixtures/ipc-app.ts");

/** What came to a client, each event with its arguments; the offset, where there is one, taken off. */
export interface Client {
  readonly socket: Socket;
  readonly events: unknown[][];
  /** Of one event, the arguments. */
  of(event: string): unknown[][];
}

/** A cluster of `fixtures/ipc-app.ts`. */
export class IpcCluster {
  readonly primary: PrimaryProcess;
  up!: ClusterStatus;

  private constructor(options: object, io: object, env: Readonly<Record<string, string>>) {
    this.primary = new PrimaryProcess(fixture, {
      env: {
        LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 3, heartbeat: false, ...options }),
        LB_TEST_IO: JSON.stringify(io),
        ...env,
      },
    });
  }

  static async start(
    options: object = {},
    io: object = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<IpcCluster> {
    const cluster = new IpcCluster(options, io, env);
    cluster.up = await cluster.primary.up();
    return cluster;
  }

  pid(instance: number): number {
    return this.up.instances[instance - 1]!.pid!;
  }

  /** Has an instance do one of the calls of the fixture. */
  async call(instance: number, call: string, ...given: unknown[]): Promise<unknown> {
    const { port } = this.up.instances[instance - 1]!;
    const body = JSON.stringify({ call, given });
    const response = await fetch(`http://127.0.0.1:${port}/do`, { method: "POST", body });
    const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } };
    if (error !== undefined) throw new Error(error.message);
    return result;
  }

  /** At one instance, or wherever the front sends it: `instance` 0. */
  async client(
    instance: number,
    options: Partial<ManagerOptions & SocketOptions> & { readonly namespace?: string } = {},
  ): Promise<Client> {
    const client = this.connect(instance, options);
    await new Promise<void>((connected) => client.socket.once("connect", connected));
    return client;
  }

  connect(
    instance: number,
    { namespace = "/", ...options }: Partial<ManagerOptions & SocketOptions> & { readonly namespace?: string } = {},
  ): Client {
    const port = instance === 0 ? this.up.port : this.up.instances[instance - 1]!.port;
    const events: unknown[][] = [];
    const socket = connect(`http://127.0.0.1:${port}${namespace}`, {
      transports: ["websocket"],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
      ...options,
    });
    socket.onAny((...event) => events.push(event.filter((argument) => !isOffset(argument))));
    onTestFinished(() => void socket.disconnect());
    return { socket, events, of: (name) => events.filter(([event]) => event === name).map(([, ...rest]) => rest) };
  }
}

function isOffset(argument: unknown): boolean {
  return typeof argument === "string" && /^[0-9a-z]+-[0-9a-z]+-\d+\.\d+$/.test(argument);
}
