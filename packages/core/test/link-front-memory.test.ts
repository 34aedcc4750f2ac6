// The front reads its links into memory that it uses again. Clients that read late must get their own bytes all the same.
import { createHash, randomBytes } from "node:crypto";
import { createServer, get, type ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { ProxyFront } from "../src/front/proxy/proxy-front.ts";
import { createLinkTransport } from "../src/front/transport/link-transport.ts";
import { systemClock } from "../src/model/clock.ts";
import { defaultFrontSettings } from "./support/default-settings.ts";
import { openLinkEndpoint } from "./support/link-endpoint.ts";
import { seededRandom } from "./support/seeded-random.ts";
import { createTestBalancer } from "./support/test-balancer.ts";
import { portsOf, testListeners } from "./support/test-listeners.ts";

const sha = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex");

/** The hash of a response, read only once `mayRead` has resolved. */
function download(url: string, mayRead?: Promise<unknown>): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, async (response) => {
      const hash = createHash("sha256");
      try {
        await mayRead;
        for await (const chunk of response) hash.update(chunk as Buffer);
        resolve(hash.digest("hex"));
      } catch (error) {
        reject(error);
      }
    }).on("error", reject);
  });
}

test("every client gets its own bytes, however late it reads them", async () => {
  const random = seededRandom(7);
  // More than the kernel holds for a client that does not read, so that the front has to.
  const large = Array.from({ length: 4 }, () => 60_000_000);
  const others = Array.from({ length: 60 }, () => Math.floor(random() ** 3 * 2_000_000));
  const bodies = [...large, ...others, 55, 16_384, 16_385, 65_536].map((size) => randomBytes(size));
  const responses: ServerResponse[] = [];
  const server = createServer((request, response) => {
    responses.push(response);
    const body = bodies[Number(request.url!.slice(1))]!;
    // In pieces of all sizes, so that reads of the link hold parts of several responses.
    if (body.length % 2 === 0) response.end(body);
    else {
      const middle = Math.floor(body.length / 3);
      response.write(body.subarray(0, middle));
      setImmediate(() => response.end(body.subarray(middle)));
    }
  });
  const { endpoint, path, stop } = await openLinkEndpoint(server);
  const balancer = createTestBalancer();
  const front = new ProxyFront({
    clock: systemClock,
    balancer,
    settings: { ...defaultFrontSettings, listeners: testListeners() },
    backend: () => ({
      transport: createLinkTransport({ endpoint, path, clock: systemClock, onDown: () => {} }),
      responseLines: "",
    }),
    observer: { acceptFailed: () => {} },
  });
  front.update([endpoint]);
  balancer.update([endpoint]);
  const [port] = await portsOf(front.listen());
  try {
    const url = (n: number) => `http://127.0.0.1:${port}/${n}`;
    let read = () => {};
    const mayRead = new Promise<void>((resolve) => {
      read = resolve;
    });
    const late = large.map((_, n) => download(url(n), mayRead));
    let before = -1;
    const standsStill = () => {
      const sent = responses.reduce((sum, { socket }) => sum + (socket?.bytesWritten ?? 0), 0);
      const stands = sent === before && responses.length === large.length;
      before = sent;
      return stands;
    };
    await expect.poll(standsStill, { interval: 200 }).toBe(true);
    const first = await Promise.all(bodies.slice(large.length).map((_, n) => download(url(large.length + n))));
    read();
    expect([...(await Promise.all(late)), ...first]).toEqual(bodies.map(sha));
  } finally {
    await front.close(0);
    balancer.close();
    await stop();
  }
});
