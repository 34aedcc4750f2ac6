import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LinkError } from "../../src/link/errors.ts";
import { systemClock } from "../../src/model/clock.ts";
import type { Endpoint } from "../../src/model/endpoint.ts";
import { type ServedLink, serveLink } from "../../src/worker/link/link-intake.ts";

/** A worker's intake in this process: links to `server` over a real Unix socket. */
export interface LinkEndpoint {
  readonly path: string;
  readonly endpoint: Endpoint;
  /** Links that are open, oldest first. */
  readonly links: readonly ServedLink[];
  /** Their sockets, and why links ended. */
  readonly sockets: readonly Socket[];
  readonly ends: readonly LinkError[];
  /** Takes no further links. */
  refuse(): Promise<void>;
  /** Breaks the links, and takes no further ones. */
  stop(): Promise<void>;
}

export async function openLinkEndpoint(
  server: Server,
  options: { readonly windowBytes?: number } = {},
): Promise<LinkEndpoint> {
  const directory = mkdtempSync(join(tmpdir(), "lb-test-"));
  const path = join(directory, "intake");
  const links: ServedLink[] = [];
  const sockets: Socket[] = [];
  const ends: LinkError[] = [];
  const intake = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    const link = serveLink(socket, server, {
      ...options,
      clock: systemClock,
      local: server.address() as AddressInfo,
      onEnd: (error) => {
        ends.push(error);
        links.splice(links.indexOf(link), 1);
        sockets.splice(sockets.indexOf(socket), 1);
      },
    });
    links.push(link);
  });
  server.listen(0, "127.0.0.1");
  intake.listen(path);
  await Promise.all([once(server, "listening"), once(intake, "listening")]);
  const refuse = async () => {
    if (!intake.listening) return;
    const closed = once(server, "close");
    intake.close();
    server.close();
    await closed;
    rmSync(directory, { recursive: true, force: true });
  };
  return {
    path,
    endpoint: { id: "0.1", slot: 0, incarnation: 1, weight: 1, address: { kind: "unix", path } },
    links,
    sockets,
    ends,
    refuse,
    async stop() {
      const refused = refuse();
      for (const socket of [...sockets]) socket.destroy();
      await refused;
    },
  };
}
