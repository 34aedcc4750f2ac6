import { describe, expect, test } from "vitest";
import { memoryProxy } from "../../test/support/memory-proxy.ts";
import { type FinishedRequest, observedByAll, type TrafficObserver } from "./traffic-observer.ts";

const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const post = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc";
const ok = "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\nhi";

function observed() {
  const finished: FinishedRequest[] = [];
  const told: unknown[] = [];
  const observer: TrafficObserver = {
    requestFinished: (request) => finished.push({ ...request }),
    answered: (status) => told.push(status),
    retried: ({ slot }, cause) => told.push(`retried ${slot} ${cause}`),
    responseInvalid: ({ slot }) => told.push(`invalid ${slot}`),
  };
  return { ...memoryProxy({ observer, settings: { allowedHosts: new Set(["x"]) } }), finished, told };
}

describe("an observer", () => {
  test("is told what became of a request: who answered, after how many attempts, how long, how many bytes", () => {
    const { finished, told, client, streams, clock, all } = observed();
    clock.advance(1_000);
    client.send(post);
    clock.advance(5);
    streams[0]!.fails({ reason: "connect", sent: false });
    clock.advance(7);
    client.send("def");
    streams[1]!.answers("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 4\r\n\r\nhi");
    expect(finished).toEqual([]);
    clock.advance(11);
    streams[1]!.answers("ho");
    expect(finished).toEqual([
      expect.objectContaining({
        status: 200,
        answeredBy: "app",
        end: "complete",
        endpoint: all[1],
        attempts: 2,
        requestBytes: post.length + 3,
        responseBytes: client.written.length,
        startedAt: 1_000,
        queuedMs: 0,
        leasedMs: 5,
        respondedMs: 12,
        endedMs: 23,
      }),
    ]);
    expect(finished[0]!.request.target).toBe("/a");
    expect(finished[0]!.client.remoteAddress).toBe("203.0.113.9");
    expect(told).toEqual(["retried 0 connect-error"]);
  });

  test.each([
    ["that the client left", ["nobody", "client-left", undefined], ({ client }: Observed) => client.destroy()],
    [
      "that the response broke off",
      ["app", "cut", 200],
      ({ streams }: Observed) =>
        streams[0]!.answers(ok.replace("Length: 2", "Length: 9")).fails({ reason: "reset", sent: true }),
    ],
    [
      "that the front answered, since no endpoint did",
      ["front", "complete", 504],
      ({ clock }: Observed) => clock.advance(61_000),
    ],
  ])("is told %s", (_what, expected, happens) => {
    const all = observed();
    all.client.send(get);
    happens(all);
    expect(all.finished.map(({ answeredBy, end, status }) => [answeredBy, end, status])).toEqual([expected]);
    // Once: the connection's own end says nothing more of it.
    all.client.destroy();
    expect(all.finished).toHaveLength(1);
  });

  test("is told of a tunnel when it opens", () => {
    const { finished, client, streams } = observed();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    streams[0]!.answers("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n");
    expect(finished.map(({ end, status }) => [end, status])).toEqual([["tunnel", 101]]);
  });

  test("is told what the front answers itself, be it to a request or to what is none", () => {
    const refused = observed();
    refused.client.send(get.replace("Host: x", "Host: other"));
    expect(refused.told).toEqual([421]);
    expect(refused.finished).toEqual([
      expect.objectContaining({ status: 421, answeredBy: "front", attempts: 0, endpoint: undefined }),
    ]);
    const garbage = observed();
    garbage.client.send("no request\r\n\r\n");
    expect([garbage.told, garbage.finished]).toEqual([[400], []]);
  });

  test("is told that an endpoint sent what is no response", () => {
    const { told, client, streams } = observed();
    client.send(post.replace("6", "3"));
    streams[0]!.answers("SSH-2.0-OpenSSH\r\n\r\n");
    expect(told).toEqual(["invalid 0", 502]);
  });
});

type Observed = ReturnType<typeof observed>;

describe("several observers as one", () => {
  test("are all told, in their order, with what they call themselves by, and have no method that none of them has", () => {
    class Counting implements TrafficObserver {
      readonly told: string[];
      constructor(told: string[]) {
        this.told = told;
      }
      answered(status: number): void {
        this.told.push(`counted ${status}`);
      }
    }
    const told: string[] = [];
    const all = observedByAll([
      new Counting(told),
      { answered: (status) => told.push(`logged ${status}`), acceptFailed: ({ message }) => told.push(message) },
    ]);
    all.answered?.(503);
    all.acceptFailed?.(new Error("EMFILE"));
    expect(told).toEqual(["counted 503", "logged 503", "EMFILE"]);
    expect([all.requestFinished, all.retried]).toEqual([undefined, undefined]);
  });
});
