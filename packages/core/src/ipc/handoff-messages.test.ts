import { expect, test } from "vitest";
import {
  cannotReturnNotice,
  connectionOrder,
  countedNotice,
  cutOffOrder,
  handshakeOrder,
  handshakesNotice,
  type LoadReport,
  readHandoffNotice,
  readHandoffOrder,
  reportNotice,
  returnedNotice,
  returnOrder,
  settledNotice,
  settleOrder,
  takenOrder,
  tlsOrder,
} from "./handoff-messages.ts";

/** As the channel between the processes does it. */
const overTheWire = (message: object): unknown => JSON.parse(JSON.stringify(message));

const key = "@lb/core/handoff";
const allOctets = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));

const report: LoadReport = {
  inFlight: 3,
  unanswered: 2,
  succeeded: 1_000,
  errors: [
    [404, 3],
    [502, 2],
  ],
  reset: 1,
  cancelled: 4,
  meanLatencyMs: 1.25,
  maxLatencyMs: 80.5,
  connections: 17,
  relayed: 0,
  tunnels: 2,
  loopLagMs: 0.5,
};

test.for([
  ["a head alone", Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 27],
  ["a head of every octet", allOctets, 256],
  ["a head and the beginning of a body", Buffer.concat([Buffer.from("head"), allOctets]), 4],
] as const)("a connection's bytes arrive as they were: %s", ([, bytes, headLength]) => {
  const order = readHandoffOrder(overTheWire(connectionOrder(bytes, headLength)));
  expect(order).toEqual({ kind: "connection", bytes });
  const origin = { listener: 2, isUnix: false, client: { address: "2001:db8::1", port: 65_535 } };
  const proxied = readHandoffOrder(overTheWire(connectionOrder(bytes, headLength, origin)));
  expect(proxied).toEqual({ kind: "connection", bytes, origin });
});

test("a connection that begins a handshake arrives with what was read of it, and what handshakes are made with as it was", () => {
  const origin = { listener: 1, isUnix: false, client: { address: "192.0.2.1", port: 1 } };
  for (const bytes of [Buffer.alloc(0), allOctets]) {
    expect(readHandoffOrder(overTheWire(handshakeOrder(bytes, undefined)))).toEqual({ kind: "handshake", bytes });
    expect(readHandoffOrder(overTheWire(handshakeOrder(bytes, origin)))).toEqual({ kind: "handshake", bytes, origin });
  }
  const tls = { material: { ticketKeys: ["a"] }, limits: {} };
  expect(readHandoffOrder(overTheWire(tlsOrder(tls)))).toEqual({ kind: "tls", tls });
});

test("a body costs its coding and no more", () => {
  const bytes = Buffer.concat([Buffer.from("head"), Buffer.alloc(60_000)]);
  expect(JSON.stringify(connectionOrder(bytes, 4)).length).toBeLessThan(60_000 * 1.34 + 100);
});

test("the other orders and notices arrive as they were", () => {
  expect(readHandoffOrder(overTheWire(returnOrder(7)))).toEqual({ kind: "return", most: 7 });
  expect(readHandoffOrder(overTheWire(returnOrder("all")))).toEqual({ kind: "return", most: "all" });
  expect(readHandoffOrder(overTheWire(takenOrder))).toEqual({ kind: "taken" });
  const range = { address: "10.0.0.0", prefixLength: 8 };
  expect(readHandoffOrder(overTheWire(cutOffOrder(range)))).toEqual({ kind: "cut-off", range });
  for (const cutOff of [{}, { ...range, prefixLength: 129 }, { ...range, address: 5 }, "10.0.0.0/8"]) {
    expect(readHandoffOrder(overTheWire(cutOffOrder(cutOff as typeof range)))).toEqual({ kind: "malformed" });
  }
  expect(readHandoffOrder(overTheWire(settleOrder(3)))).toEqual({ kind: "settle", id: 3 });
  expect(readHandoffNotice(overTheWire(settledNotice(3)))).toEqual({ kind: "settled", id: 3 });
  expect(readHandoffNotice(overTheWire(returnedNotice(undefined)))).toEqual({ kind: "returned" });
  const origin = { listener: 1, isUnix: true };
  expect(readHandoffNotice(overTheWire(returnedNotice(origin)))).toEqual({ kind: "returned", origin });
  expect(readHandoffNotice(overTheWire(cannotReturnNotice("why")))).toEqual({ kind: "cannot-return", detail: "why" });
  expect(readHandoffNotice(overTheWire(reportNotice(report)))).toEqual({ kind: "report", report });
  const handshakes = { full: 5, crowded: 3, refused: 1 };
  const made = { kind: "handshakes", listener: 1, handshakes };
  expect(readHandoffNotice(overTheWire(handshakesNotice(1, handshakes)))).toEqual(made);
  for (const wrong of [
    handshakesNotice(-1, handshakes),
    handshakesNotice(0, { full: -1 }),
    handshakesNotice(0.5, {}),
  ]) {
    expect(readHandoffNotice(overTheWire(wrong))).toEqual({ kind: "malformed" });
  }
  expect(readHandoffNotice(overTheWire(countedNotice({ any: 1 })))).toEqual({ kind: "counted", counts: { any: 1 } });
});

test("a reason is cut to what the reader takes", () => {
  const notice = readHandoffNotice(overTheWire(cannotReturnNotice("x".repeat(10_000))));
  expect(notice).toMatchObject({ kind: "cannot-return" });
});

test.for([undefined, null, 1, "text", [], {}, { "@lb/core": { [key]: "taken" } }, { [key]: undefined }])(
  "not ours: %j",
  (raw) => {
    expect(readHandoffOrder(raw)).toEqual({ kind: "foreign" });
    expect(readHandoffNotice(raw)).toEqual({ kind: "foreign" });
  },
);

test.for([
  null,
  7,
  "other",
  {},
  [],
  { head: 1 },
  { head: "", rest: 1 },
  { most: -1 },
  { most: Number.NaN },
  { most: "some" },
])("BAD-INPUTS 113: no such order: %j", (body) => {
  expect(readHandoffOrder({ [key]: body })).toEqual({ kind: "malformed" });
});

test.for([
  null,
  7,
  "other",
  {},
  [],
  { detail: 1 },
  { counts: 1 },
  { handshakes: { full: 1 } },
  { listener: 0, handshakes: { other: 1 } },
  { detail: "x".repeat(2_000) },
  [1, 2, 3],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "11"],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 503],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 399, 1],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1_000, 1],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 503, -1],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 503, 1.5],
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 500, 60_000, 503, 60_000],
])("BAD-INPUTS 113: no such notice: %j", (body) => {
  expect(readHandoffNotice({ [key]: body })).toEqual({ kind: "malformed" });
});
