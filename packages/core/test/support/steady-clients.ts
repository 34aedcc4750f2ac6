import { Agent } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { request, Agent as TlsAgent } from "node:https";
import { text } from "node:stream/consumers";
import { expect, onTestFinished } from "vitest";
import { httpGet } from "./http-get.ts";

/** Somebody who asks once, and rejects unless it is answered with 200. */
type Client = () => Promise<void>;

/** Asks one after the other until `stop`, which returns what failed, and how often each was answered. */
export function steadyClients(clients: Readonly<Record<string, Client>>) {
  const failed: string[] = [];
  const answered = Object.fromEntries(Object.keys(clients).map((name) => [name, 0]));
  let runs = true;
  const all = Object.entries(clients).map(async ([name, ask]) => {
    while (runs) {
      try {
        await ask();
        answered[name]! += 1;
      } catch (error) {
        failed.push(`${name}: ${(error as Error).message}`);
      }
    }
  });
  onTestFinished(() => {
    runs = false;
  });
  return {
    failed,
    answered,
    async stop(): Promise<void> {
      runs = false;
      await Promise.all(all);
      expect(failed).toEqual([]);
    },
  };
}

const good = (status: number | undefined, body: string) => {
  if (status !== 200) throw new Error(`${status} ${body}`);
};

/** On one connection as long as that is left open, or on a new one for each request. */
export function http1Client(url: string, { keepAlive }: { readonly keepAlive: boolean }): Client {
  const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
  onTestFinished(() => agent?.destroy());
  return async () => {
    const { status, body } = await httpGet(url, { ...(agent !== undefined && { agent }) });
    good(status, body);
  };
}

/** Nobody's certificate is looked at. */
export function tlsClient(url: string, { keepAlive }: { readonly keepAlive: boolean }): Client {
  const agent = new TlsAgent({ keepAlive, maxSockets: 1, rejectUnauthorized: false });
  onTestFinished(() => agent.destroy());
  return () =>
    new Promise((resolve, reject) => {
      const sent = request(url, { agent, servername: "a.example" }, (response) => {
        text(response)
          .then((body) => good(response.statusCode, body))
          .then(resolve, reject);
      });
      sent.on("error", reject).end();
    });
}

/** Opens a session as soon as the last one is told to end. */
export function http2Client(url: string): Client {
  let session: ClientHttp2Session | undefined;
  onTestFinished(() => session?.destroy());
  return () => {
    if (session === undefined || session.closed || session.destroyed) {
      const opened = connect(url, { servername: "a.example", rejectUnauthorized: false });
      opened.on("error", () => {});
      opened.once("goaway", () => {
        if (session === opened) session = undefined;
      });
      session = opened;
    }
    const stream = session.request({ ":path": "/" });
    return new Promise((resolve, reject) => {
      let status = 0;
      stream.once("response", (fields) => {
        status = fields[":status"]!;
      });
      stream.once("error", reject);
      text(stream)
        .then((body) => good(status, body))
        .then(resolve, reject);
    });
  };
}
