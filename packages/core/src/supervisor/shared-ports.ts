import type { ChildProcess } from "node:child_process";
import { createServer, isIP, type Server, type Socket } from "node:net";
import type { SharedPlace } from "../ipc/messages.ts";
import { descriptorOf } from "../unix/descriptor.ts";

/** A worker that listens on a shared port, as far as this is concerned. */
export interface Sharer {
  readonly child: Pick<ChildProcess, "connected">;
  /** Sends the connection to the worker; `settled` says whether it has arrived, unless the channel ends before. */
  give(place: SharedPlace, socket: Socket, settled: (arrived: boolean) => void): void;
}

export interface SharedPortsOptions {
  /** Where the public port is: a further one goes no further. */
  readonly publicHost: string;
  /** Those that are open already, in a process in whose place this one is. Default: none. */
  readonly handed?: readonly HandedPort[] | undefined;
}

/** One that is open, as it is handed to another process. */
export interface HandedPort {
  readonly place: SharedPlace;
  readonly fd: number;
}

interface Port {
  readonly server: Server;
  /** Resolves with the code of what went wrong, if something did. */
  readonly opened: Promise<string | undefined>;
  readonly sharers: Sharer[];
  /** Node sends one handle at a time and forgets the others with the worker, so they are kept in mind here. */
  readonly inTransit: Map<Socket, Sharer>;
  next: number;
}

/** Connections that may be on their way to workers from one port; further ones are closed. */
const maxInTransit = 1_024;
/** Ports that are open at the same time; a program that wants more is told that there are no descriptors left. */
const maxPorts = 256;

/**
 * The ports that apps listen on besides their own: metrics, WebSockets, whatever the program opens. Each is opened once,
 * here, and its connections go to the workers that listen there in turn, as with `node:cluster`. It is open as long as one
 * does.
 */
export class SharedPorts {
  readonly #publicHost: string;
  readonly #ports = new Map<string, Port>();
  /** By their keys. */
  readonly #handed: Map<string, number>;
  /** Those of them that workers listen at, where nobody is accepted yet; undefined: everybody is accepted at once. */
  #waiting: (() => void)[] | undefined;

  constructor({ publicHost, handed }: SharedPortsOptions) {
    this.#publicHost = publicHost;
    this.#handed = new Map(handed?.map(({ place, fd }) => [keyOf(place), fd]));
    this.#waiting = handed && [];
  }

  /** Accepts at those that were handed over, too. */
  accept(): void {
    for (const open of this.#waiting?.splice(0) ?? []) open();
    this.#waiting = undefined;
  }

  /** Those that are open. */
  get open(): readonly HandedPort[] {
    return [...this.#ports].flatMap(([key, { server }]) => {
      const fd = descriptorOf(server);
      return fd === undefined ? [] : { place: placeOf(key), fd };
    });
  }

  /** Resolves with the error code with which the worker's `listen` is to fail, or with nothing. */
  async share(place: SharedPlace, sharer: Sharer): Promise<string | undefined> {
    const key = keyOf(place);
    if (!this.#ports.has(key) && this.#ports.size >= maxPorts) return "EMFILE";
    const port = this.#ports.get(key) ?? this.#open(place, key);
    // Before it is known whether it can be opened, so that one that leaves meanwhile is not forgotten.
    if (!port.sharers.includes(sharer)) port.sharers.push(sharer);
    const errorCode = await port.opened;
    if (errorCode !== undefined) this.leave(place, sharer);
    return errorCode;
  }

  leave(place: SharedPlace, sharer: Sharer): void {
    const key = keyOf(place);
    const port = this.#ports.get(key);
    const index = port?.sharers.indexOf(sharer) ?? -1;
    if (port === undefined || index < 0) return;
    port.sharers.splice(index, 1);
    for (const [socket, to] of [...port.inTransit]) {
      if (to === sharer && !sharer.child.connected) this.#pass(place, port, socket);
    }
    if (port.sharers.length > 0) return;
    this.#ports.delete(key);
    port.server.close();
  }

  /** It takes no more connections, on any port. */
  leaveAll(sharer: Sharer): void {
    for (const key of [...this.#ports.keys()]) this.leave(placeOf(key), sharer);
  }

  #open(place: SharedPlace, key: string): Port {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    const handed = this.#handed.get(key);
    const opened = new Promise<string | undefined>((resolve) => {
      if (handed === undefined) server.once("listening", () => resolve(undefined));
      else resolve(undefined);
      server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "EINVAL"));
    });
    const port: Port = { server, opened, sharers: [], inTransit: new Map(), next: 0 };
    server.on("connection", (socket) => {
      socket.on("error", () => socket.destroy());
      if (port.inTransit.size < maxInTransit) this.#pass(place, port, socket);
      else socket.destroy();
    });
    this.#ports.set(key, port);
    if (handed === undefined) {
      server.listen({ port: place.port, host: narrower(place.host, this.#publicHost) });
      return port;
    }
    // Once: closed here, it is opened as others are.
    this.#handed.delete(key);
    const open = () => void (this.#ports.get(key) === port && server.listen({ fd: handed }));
    if (this.#waiting === undefined) open();
    else this.#waiting.push(open);
    return port;
  }

  #pass(place: SharedPlace, port: Port, socket: Socket): void {
    const { sharers, inTransit } = port;
    inTransit.delete(socket);
    port.next = (port.next + 1) % Math.max(1, sharers.length);
    const sharer = sharers
      .slice(port.next)
      .concat(sharers)
      .find(({ child }) => child.connected);
    if (sharer === undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    inTransit.set(socket, sharer);
    sharer.give(place, socket, (arrived) => {
      if (inTransit.get(socket) !== sharer) return;
      inTransit.delete(socket);
      // The worker has a descriptor of its own, or no room for one, which another may have no more.
      if (!arrived && sharer.child.connected) socket.resetAndDestroy();
      else if (arrived) socket.destroy();
      else this.#pass(place, port, socket);
    });
  }
}

/** A port goes no further than its program asked, nor than the public port does. */
function narrower(asked: string | undefined, publicHost: string): string {
  const isOpen = asked === undefined || asked === "0.0.0.0" || asked === "::";
  if (isOpen) return publicHost;
  if (isLoopback(publicHost)) return isLoopback(asked) ? asked : publicHost;
  return asked;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function keyOf({ port, host = "" }: SharedPlace): string {
  return `${port} ${host}`;
}

function placeOf(key: string): SharedPlace {
  const [port, host] = key.split(" ") as [string, string];
  return host === "" ? { port: Number(port) } : { port: Number(port), host };
}
