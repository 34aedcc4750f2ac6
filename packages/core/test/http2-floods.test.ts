// BAD-INPUTS 140 to 147 and 158: what clients of HTTP/2 can send without end, and windows that are none, while others are served.
import { describe, expect, test } from "vitest";
import {
  ack,
  endHeaders,
  endStream,
  fieldBlock,
  frame,
  preface,
  request,
  requestFields,
  setting,
  uint32,
} from "./support/http2-frames.ts";
import { startNoting, streamNumber } from "./support/noting-front.ts";
import { RawHttp2Client } from "./support/raw-http2-client.ts";

/** Sends `count` times what `piece` makes, until the other side has had enough. How many seconds that took. */
async function flood(client: RawHttp2Client, count: number, piece: (at: number) => Buffer): Promise<number> {
  const begunAt = performance.now();
  for (let at = 0; at < count && !client.ended; at += 100) {
    await client.sendMuch(Buffer.concat(Array.from({ length: 100 }, (_, one) => piece(at + one))));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return (performance.now() - begunAt) / 1_000;
}

describe("floods end in GOAWAY, with bounded work, while others are served", () => {
  test("BAD-INPUTS 140: rapid reset: requests that are given up at once", async () => {
    const { httpsPort, heads, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    const cancel = uint32(8);
    const seconds = await flood(client, 10_000, (at) =>
      Buffer.concat([
        request(streamNumber(at), requestFields("/never")),
        frame("rstStream", { stream: streamNumber(at), payload: cancel }),
      ]),
    );
    expect(await client.failure()).toBe("ENHANCE_YOUR_CALM");
    await client.untilEnded();
    expect(heads.length).toBeLessThan(700 + 50 * seconds);
    await served();
  });

  test("BAD-INPUTS 141: MadeYouReset: requests that we are made to reset", async () => {
    const { httpsPort, heads, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    // An increment of 0 is an error of the stream (RFC 9113 §6.9).
    const seconds = await flood(client, 10_000, (at) =>
      Buffer.concat([
        request(streamNumber(at), requestFields("/never")),
        frame("windowUpdate", { stream: streamNumber(at), payload: uint32(0) }),
      ]),
    );
    expect(await client.failure()).toBe("ENHANCE_YOUR_CALM");
    await client.untilEnded();
    expect(heads.length).toBeLessThan(700 + 50 * seconds);
    await served();
  });

  test("BAD-INPUTS 142: CONTINUATION without end", async () => {
    const { httpsPort, heads, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    client.send(request(1, requestFields(), endStream));
    await flood(client, 20_000, () => frame("continuation", { stream: 1, payload: fieldBlock([["x-more", "more"]]) }));
    await client.untilEnded();
    expect(heads).toEqual([]);
    await served();
  });

  test.each([
    ["143", "SETTINGS", () => frame("settings", { payload: setting(3, 100) })],
    ["144", "PING", () => frame("ping", { payload: Buffer.alloc(8) })],
  ])("BAD-INPUTS %s: %s", async (_row, _name, piece) => {
    const { httpsPort, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    await flood(client, 20_000, piece);
    // The GOAWAY may be lost: who goes on sending has the connection reset.
    await client.untilEnded();
    const answers = client.frames.filter(({ flags }) => flags === ack).length;
    expect(answers).toBeGreaterThan(50);
    expect(answers).toBeLessThan(1_500);
    await served();
  });

  test("BAD-INPUTS 145: DATA with nothing in it", async () => {
    const { httpsPort, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    client.send(request(1, requestFields("/", [], "POST"), endHeaders));
    await flood(client, 20_000, () => frame("data", { stream: 1 }));
    await client.untilEnded();
    await served();
  });

  test("BAD-INPUTS 158: a storm of priorities means nothing, and costs nobody anything", async () => {
    const { httpsPort, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    for (let at = 0; at < 5_000; at += 100) {
      await client.sendMuch(
        Buffer.concat(
          Array.from({ length: 100 }, (_, one) =>
            frame("priority", {
              stream: streamNumber(at + one + 1),
              payload: Buffer.concat([uint32(0), Buffer.of(16)]),
            }),
          ),
        ),
      );
    }
    await served();
    if (!client.ended) expect(await client.ask(streamNumber(9_000))).toBe("answered");
  });
});

describe("windows", () => {
  test("BAD-INPUTS 146: a window of 0 that is never opened: the response waits no longer than a write may", async () => {
    const { httpsPort, served } = await startNoting({ timeouts: { writeIdleMs: 200 } });
    const client = await RawHttp2Client.ofTest(
      httpsPort,
      Buffer.concat([preface, frame("settings", { payload: setting(4, 0) })]),
    );
    expect(await client.ask(1, requestFields("/large"))).toBe("CANCEL");
    expect(await client.ask(3)).toBe("CANCEL");
    await served();
  });

  test("BAD-INPUTS 147: a window beyond what one can be ends the stream, or the connection if it is that of all", async () => {
    const { httpsPort, served } = await startNoting();
    const client = await RawHttp2Client.ofTest(httpsPort);
    const open = (stream: number) => frame("windowUpdate", { stream, payload: uint32(2 ** 31 - 1) });
    client.send(request(1, requestFields("/never")), open(1));
    expect(await client.failure(1)).toBe("FLOW_CONTROL_ERROR");
    expect(await client.ask(3)).toBe("answered");
    client.send(open(0));
    expect(await client.failure()).toBe("FLOW_CONTROL_ERROR");
    await client.untilEnded();
    await served();
  });

  test("more than the window has is an error of the connection", async () => {
    const { httpsPort, served } = await startNoting({ http2: { windowBytes: 65_535 } });
    const client = await RawHttp2Client.ofTest(httpsPort);
    client.send(request(1, requestFields("/never", [], "POST"), endHeaders));
    for (let at = 0; at < 400 && !client.ended; at++) {
      await client.sendMuch(frame("data", { stream: 1, payload: Buffer.alloc(16_000) }));
    }
    await client.untilEnded();
    await served();
  });
});
