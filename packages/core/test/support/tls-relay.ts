import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { reset } from "../../src/tls/reset.ts";

/** A port of this process from which connections get to another one, as long as it is open. */
export interface Way {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Connections go on over TLS, with HTTP/1.1, each on one of its own from the same address, and end as those do: clients that know
 * nothing of TLS are clients of it there.
 */
export async function overTls(port: number, servername = "a.example"): Promise<Way> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const secure = connectTls({
      ...{ port, host: "127.0.0.1", servername, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] },
      ...(client.remoteAddress !== "127.0.0.1" && { localAddress: client.remoteAddress }),
    });
    secure.allowHalfOpen = true;
    secure.setNoDelay(true);
    open.add(client);
    client.on("close", () => open.delete(client));
    passOn(client, secure);
    passOn(secure, client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const client of open) client.destroy();
      server.close();
    },
  };
}

function passOn(from: Socket, to: Socket): void {
  from.on("data", (bytes: Buffer) => {
    if (!to.write(bytes)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.on("error", () => {});
  from.on("close", () => {
    // It broke off, and so does the other.
    if (!from.readableEnded && !to.destroyed) reset(to);
    else if (!to.writableEnded) to.destroy();
  });
}
