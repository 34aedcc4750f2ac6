import { describe, expect, it } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import { noBody } from "./body-framing.ts";
import { dateLine } from "./date-line.ts";
import { errorResponse } from "./error-response.ts";
import { rejections } from "./rejection.ts";
import { ResponseHead, ResponseHeadParser } from "./response-head.ts";

function read(bytes: Buffer, method = "GET"): { head: ResponseHead; body: string } {
  const head = new ResponseHeadParser(defaultHttpLimits).parse(bytes, 0, bytes.length, method);
  if (!(head instanceof ResponseHead)) throw new Error("Not a response.");
  return { head, body: bytes.toString("latin1", head.byteLength) };
}

describe("our own answers", () => {
  it("are well-formed for every status a rejection has, and close the connection", () => {
    const statuses = new Set([...Object.values(rejections).map(({ status }) => status), 408, 429, 502, 503, 504]);
    for (const status of statuses) {
      const { head, body } = read(errorResponse(status));
      expect(head.status).toBe(status);
      expect(head.persistent).toBe(false);
      expect(head.framing).toEqual({ kind: "length", bytes: body.length });
      expect(body).toBe(`${status} ${head.reason}\n`);
      expect(head.reason).not.toBe("Error");
    }
  });

  it("say what the status obliges them to", () => {
    expect(read(errorResponse(405)).head.header("allow")).toContain("GET");
    const { head } = read(errorResponse(426));
    expect([head.header("upgrade"), head.header("connection")]).toEqual(["websocket", "Upgrade, close"]);
    expect(head.header("sec-websocket-version")).toBe("13");
    expect(read(errorResponse(503, { retryAfterSeconds: 1.2 })).head.header("retry-after")).toBe("2");
    expect(read(errorResponse(503)).head.header("retry-after")).toBeUndefined();
  });

  it("may leave the connection open, and have no body for HEAD", () => {
    expect(read(errorResponse(503, { keepAlive: true })).head.persistent).toBe(true);
    const { head, body } = read(errorResponse(503, { head: true }), "HEAD");
    expect([head.framing, body]).toEqual([noBody, ""]);
    expect(head.header("content-length")).toBe(String("503 Service Unavailable\n".length));
  });

  it("say when they were made", () => {
    const [first, second] = [1_700_000_000_999, 1_700_000_001_000].map((now) => {
      const { head } = read(errorResponse(404, {}, dateLine(now)));
      return head.header("date");
    });
    expect([first, second]).toEqual(["Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:21 GMT"]);
  });

  it("are made once, however many there may be", () => {
    const made = (retryAfterSeconds: number) => errorResponse(503, { retryAfterSeconds }, dateLine(0));
    const first = made(1);
    expect(made(1)).toBe(first);
    for (let seconds = 2; seconds < 1_000; seconds++) made(seconds);
    expect(made(1)).toEqual(first);
    expect(made(1)).not.toBe(first);
  });
});
