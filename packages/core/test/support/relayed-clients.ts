import { onTestFinished } from "vitest";
import { PrimaryProcess } from "./primary-process.ts";
import { RawClient } from "./raw-client.ts";
import { testCertificate } from "./test-certificate.ts";
import { overTls } from "./tls-relay.ts";

export interface RelayedClientsOptions {
  readonly env?: Record<string, string>;
  readonly fixture?: string;
  readonly way?: "in the clear" | "over TLS";
}

async function ownWay(httpsPort: number): Promise<number> {
  const { port, close } = await overTls(httpsPort);
  onTestFinished(close);
  return port;
}

/** A cluster of two in hand-off mode with sticky cookies, and clients whose next request belongs to the other instance. */
export class RelayedClients {
  readonly primary: PrimaryProcess;
  readonly port: number;
  /** By the id of the instance that they name. */
  readonly cookies: ReadonlyMap<string, string>;

  static async start(
    options: object = {},
    { env, fixture = "handoff-relay-app.ts", way = "in the clear" }: RelayedClientsOptions = {},
  ): Promise<RelayedClients> {
    const tls = way === "over TLS" && { https: { port: 0, certificates: [testCertificate(["DNS:a.example"])] } };
    const settings = { port: 0, mode: "handoff", instances: 2, affinity: "cookie", ...tls, ...options };
    const primary = new PrimaryProcess(fixture, { env: { ...env, LB_TEST_OPTIONS: JSON.stringify(settings) } });
    const up = await primary.up();
    const port = tls === false ? up.port : await ownWay(up.https!.port);
    const cookies = new Map<string, string>();
    for (let n = 0; cookies.size < 2 && n < 50; n += 1) {
      const client = await RawClient.connect(port);
      const { headers, body } = await client.send("GET /who HTTP/1.1\r\nHost: x\r\n\r\n").response();
      client.destroy();
      cookies.set(JSON.parse(body.toString()).id, headers["set-cookie"]!.split(";")[0]!);
    }
    return new RelayedClients(primary, port, cookies);
  }

  private constructor(primary: PrimaryProcess, port: number, cookies: ReadonlyMap<string, string>) {
    this.primary = primary;
    this.port = port;
    this.cookies = cookies;
  }

  /** A connection that is with one instance. */
  async at(id: string): Promise<RawClient> {
    for (;;) {
      const client = await RawClient.ofTest(this.port);
      await client.send(`GET /who HTTP/1.1\r\nHost: x\r\nCookie: ${this.cookies.get(id)}\r\n\r\n`).response();
      // With TLS it is not placed by its first request; who names nobody is answered where it is.
      const { body } = await client.send("GET /who HTTP/1.1\r\nHost: x\r\n\r\n").response();
      if (JSON.parse(body.toString()).id === id) return client;
      client.destroy();
    }
  }

  /** Such a connection, after a request for the other one was sent on it. `fields` end in CRLF each. */
  async relayed(line: string, fields = "", body = ""): Promise<RawClient> {
    const client = await this.at("1");
    return client.send(this.request(line, fields, body));
  }

  /** A request that belongs to instance 2. */
  request(line: string, fields = "", body = ""): string {
    return `${line}\r\nHost: x\r\nCookie: ${this.cookies.get("2")}\r\n${fields}\r\n${body}`;
  }

  /** Every worker is the one that it was, and nobody was told of a fault. */
  async unharmed(): Promise<boolean> {
    const { instances } = await this.primary.status();
    const exits = this.primary.events.filter(({ name }) => name === "exit" || (name as string) === "agent-fault");
    return exits.length === 0 && instances.every(({ state, restarts }) => state === "ready" && restarts === 0);
  }
}
