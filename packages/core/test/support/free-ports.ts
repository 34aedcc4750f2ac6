import { createServer, type Server } from "node:net";

/** A port that something listens on until the server is closed. */
export function takePort(port = 0): Promise<{ port: number; server: Server }> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve({ port: (server.address() as { port: number }).port, server }));
  });
}

/** A run of ports that were free just now, away from those that the system gives out by itself. */
export async function freePorts(count: number): Promise<number> {
  for (let first = 20_000 + Math.floor(Math.random() * 8_000); ; first += count) {
    const servers = await Promise.all(
      Array.from({ length: count }, (_, index) => takePort(first + index).catch(() => undefined)),
    );
    for (const taken of servers) taken?.server.close();
    if (servers.every((taken) => taken !== undefined)) return first;
  }
}
