// Every byte that comes with a head or after it reaches the worker, however it is cut up.
import { createHash, randomFillSync } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Random } from "../src/model/random.ts";
import { startHandoffFront } from "./support/handoff-front.ts";
import { RawClient } from "./support/raw-client.ts";
import { seededRandom } from "./support/seeded-random.ts";

const noise = randomFillSync(Buffer.alloc(3_000_000));

interface Upload {
  readonly bytes: Buffer;
  /** What the worker answers. */
  readonly answer: string;
}

/** Mostly small bodies, some of a few hundred kilobytes, a few of up to three megabytes. */
function bodySize(random: Random): number {
  const kind = random();
  if (kind < 0.1) return 0;
  if (kind < 0.9) return Math.floor(random() * 8_000);
  return Math.floor(random() * (kind < 0.985 ? 300_000 : 3_000_000));
}

function upload(random: Random): Upload {
  const size = bodySize(random);
  const from = Math.floor(random() * (noise.length - size));
  const body = noise.subarray(from, from + size);
  const answer = `${size} ${createHash("sha256").update(body).digest("hex")}`;
  const head = `POST /hash HTTP/1.1\r\nHost: a.example\r\nX-Filler: ${"f".repeat(Math.floor(random() * 900))}\r\n`;
  if (random() < 0.5) {
    return { bytes: Buffer.concat([Buffer.from(`${head}Content-Length: ${size}\r\n\r\n`), body]), answer };
  }
  const parts = [Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`)];
  for (let at = 0; at < size; ) {
    const length = Math.min(size - at, 1 + Math.floor(random() * 70_000));
    parts.push(Buffer.from(`${length.toString(16)}\r\n`), body.subarray(at, at + length), Buffer.from("\r\n"));
    at += length;
  }
  return { bytes: Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]), answer };
}

/** Sends in up to four pieces, cut near the beginning as often as anywhere, some of them after a turn or a moment. */
async function sendInPieces(client: RawClient, bytes: Buffer, random: Random): Promise<void> {
  const cuts = Array.from({ length: Math.floor(random() * 4) }, () =>
    Math.floor(random() * (random() < 0.6 ? Math.min(1_200, bytes.length) : bytes.length)),
  ).sort((a, b) => a - b);
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    client.send(bytes.subarray(at, cut));
    at = cut;
    if (random() < 0.5) await new Promise((resolve) => setImmediate(resolve));
    else if (random() < 0.1) await delay(1);
  }
}

test("3,000 uploads of any size, coding and cut arrive whole, on fresh and on kept connections", {
  timeout: 120_000,
}, async () => {
  const { front, port } = await startHandoffFront();
  const total = 3_000;
  let sent = 0;
  let right = 0;
  async function clientOf(seed: number): Promise<void> {
    const random = seededRandom(seed);
    while (sent < total) {
      const client = await RawClient.connect(port);
      const count = Math.min(total - sent, random() < 0.5 ? 1 : 1 + Math.floor(random() * 6));
      sent += count;
      const uploads = Array.from({ length: count }, () => upload(random));
      if (random() < 0.3) {
        // All at once, so that the next ones come with the first head or in the middle of its body.
        await sendInPieces(client, Buffer.concat(uploads.map(({ bytes }) => bytes)), random);
        for (const { answer } of uploads) if ((await client.response()).body.toString() === answer) right++;
      } else {
        for (const { bytes, answer } of uploads) {
          await sendInPieces(client, bytes, random);
          if ((await client.response()).body.toString() === answer) right++;
        }
      }
      client.destroy();
    }
  }
  await Promise.all(Array.from({ length: 24 }, (_, seed) => clientOf(seed + 1)));
  expect({ sent, right }).toEqual({ sent: total, right: total });
  await expect.poll(() => front.connections.size).toBe(0);
});

test("a head may come octet by octet", async () => {
  const { port } = await startHandoffFront();
  const client = await RawClient.ofTest(port);
  for (const octet of "GET /who HTTP/1.1\r\nHost: a\r\n\r\n") {
    client.send(octet);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await client.response()).status).toBe(200);
});

test("pipelined requests that come with the first head are answered in their order", async () => {
  const { port } = await startHandoffFront();
  const client = await RawClient.ofTest(port);
  const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
  client.send(get("/slow?ms=50") + get("/who") + get("/nothing"));
  expect((await client.response()).body.toString()).toBe("slow");
  expect((await client.response()).status).toBe(200);
  expect((await client.response()).status).toBe(404);
});

test("hundreds of pipelined requests, with bodies and without, and an upgrade behind them", async () => {
  const { front, port } = await startHandoffFront();
  const random = seededRandom(7);
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const client = await RawClient.ofTest(port);
      const requests = Array.from({ length: 400 }, () => {
        if (random() < 0.7) return { bytes: Buffer.from("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"), answer: "" };
        const body = noise.subarray(0, Math.floor(random() * (random() < 0.05 ? 60_000 : 300)));
        const answer = `${body.length} ${createHash("sha256").update(body).digest("hex")}`;
        const head = `POST /hash HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
        return { bytes: Buffer.concat([Buffer.from(head), body]), answer };
      });
      const upgrade = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
      await sendInPieces(client, Buffer.concat(requests.map(({ bytes }) => bytes)), random);
      const answers: string[] = [];
      for (const _ of requests) answers.push((await client.response()).body.toString());
      expect(answers).toEqual(requests.map(({ answer }) => answer));
      client.send(upgrade);
      expect((await client.response()).status).toBe(101);
      client.send(noise.subarray(0, 100_000));
      expect((await client.take(100_000)).equals(noise.subarray(0, 100_000))).toBe(true);
      client.destroy();
    }),
  );
  await expect.poll(() => front.connections.size).toBe(0);
});

test("one client that sends hundreds of requests at once does not have them all answered before another's one", async () => {
  const { front, port } = await startHandoffFront({ workers: 1 });
  for (const kept of [false, true]) {
    const [many, one] = [await RawClient.ofTest(port), await RawClient.ofTest(port)];
    if (kept) for (const client of [many, one]) await client.send("GET /who HTTP/1.1\r\nHost: a\r\n\r\n").response();
    many.send("GET /block?ms=1 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(kept ? 4_000 : 400));
    await many.until(() => many.pending.length > 0);
    expect((await one.send("GET /who HTTP/1.1\r\nHost: a\r\n\r\n").response()).status).toBe(200);
    const answered = many.pending.toString("latin1").split("HTTP/1.1 200").length - 1;
    expect(answered).toBeLessThan(kept ? 3_000 : 300);
    many.destroy();
    one.destroy();
  }
  await expect.poll(() => front.workers[0]!.report?.inFlight, { timeout: 20_000 }).toBe(0);
});

test("an upgrade is the worker's, with what follows it", async () => {
  const { port } = await startHandoffFront();
  const client = await RawClient.ofTest(port);
  client.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  const { status } = await client.response();
  expect(status).toBe(101);
  const bytes = noise.subarray(0, 100_000);
  client.send(bytes);
  expect((await client.take(bytes.length)).equals(bytes)).toBe(true);
});

test("the worker's app sees the client's own address and port", async () => {
  const { port } = await startHandoffFront();
  const client = await RawClient.ofTest(port);
  const response = await client.send("GET /who HTTP/1.1\r\nHost: a\r\n\r\n").response();
  expect(JSON.parse(response.body.toString())).toMatchObject({
    remoteAddress: "127.0.0.1",
    remotePort: client.socket.localPort,
  });
});

test("of a TLS client no byte reaches a worker", async () => {
  const { front, port } = await startHandoffFront();
  const client = await RawClient.ofTest(port);
  client.send(Buffer.from("16030100c4010000c00303", "hex"));
  expect((await client.response()).status).toBe(400);
  await client.closed;
  expect(front.balancer.status().endpoints.map(({ requests }) => requests)).toEqual([0, 0]);
});
