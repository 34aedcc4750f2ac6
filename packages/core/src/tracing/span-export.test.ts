import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Span } from "../model/span.ts";
import { type Sent, SpanExport } from "./span-export.ts";

const span: Span = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  kind: "server",
  name: "GET",
  startMs: 1_764_000_000_000.25,
  endMs: 1_764_000_000_001,
  attributes: { "url.path": "/", "lb.attempts": 1, share: 0.5, "lb.complete": true },
  failed: true,
};

function exporter(answer: () => Promise<Sent>) {
  const clock = new ManualClock();
  const messages: {
    readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly object[] }[] }[];
  }[] = [];
  const losses: [number, string | undefined][] = [];
  const out = new SpanExport({
    send: async (message) => {
      messages.push(JSON.parse(message));
      return answer();
    },
    resource: { "service.name": "shop" },
    version: "1.0.0",
    clock,
    random: () => 0.5,
    dropped: (spans, error) => void losses.push([spans, error?.message]),
  });
  return { clock, messages, losses, out };
}

const turns = async () => {
  for (let each = 0; each < 20; each++) await Promise.resolve();
};

test("spans go together, within a second, as OTLP has them", async () => {
  const { clock, messages, out } = exporter(async () => ({ kind: "taken", rejected: 0 }));
  for (let each = 0; each < 3; each++) out.add(span);
  await turns();
  expect(messages).toEqual([]);
  clock.advance(1_000);
  await turns();
  expect(messages).toHaveLength(1);
  expect(messages[0]!.resourceSpans[0]).toMatchObject({
    resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
    scopeSpans: [{ scope: { name: "@lb/core", version: "1.0.0" } }],
  });
  const [sent] = messages[0]!.resourceSpans[0]!.scopeSpans[0]!.spans;
  expect(sent).toEqual({
    traceId: span.traceId,
    spanId: span.spanId,
    flags: 0x101,
    name: "GET",
    kind: 2,
    startTimeUnixNano: "1764000000000250000",
    endTimeUnixNano: "1764000000001000000",
    attributes: [
      { key: "url.path", value: { stringValue: "/" } },
      { key: "lb.attempts", value: { intValue: "1" } },
      { key: "share", value: { doubleValue: 0.5 } },
      { key: "lb.complete", value: { boolValue: true } },
    ],
    status: { code: 2 },
  });
  expect(out.status).toEqual({ exported: 3, dropped: 0, waiting: 0, error: null });
});

test("FAULTS 68: what is not taken is sent again, later and later, and then given up", async () => {
  const { clock, messages, losses, out } = exporter(async () => ({ kind: "later", error: new Error("no") }));
  out.add(span);
  clock.advance(1_000);
  await turns();
  for (const ms of [750, 1_500, 3_000, 6_000, 12_000]) {
    const before = messages.length;
    clock.advance(ms - 1);
    await turns();
    expect(messages).toHaveLength(before);
    expect(out.status).toEqual({ exported: 0, dropped: 0, waiting: 1, error: "no" });
    clock.advance(1);
    await turns();
    expect(messages).toHaveLength(before + 1);
  }
  expect(out.status).toEqual({ exported: 0, dropped: 1, waiting: 0, error: "no" });
  expect(losses).toEqual([[1, "no"]]);
});

test("FAULTS 68: one that answers nothing has bounded memory, and the end does not wait for it for long", async () => {
  const { clock, messages, out } = exporter(() => new Promise(() => {}));
  const long = { ...span, attributes: { "url.path": "x".repeat(10_000) } };
  for (let each = 0; each < 2_000; each++) out.add(long);
  await turns();
  const { waiting, dropped } = out.status;
  expect(waiting + dropped).toBe(2_000);
  expect(waiting).toBeLessThan(8_388_608 / 10_000);
  expect(messages).toHaveLength(1);
  let ended = false;
  void out.end(2_000).then(() => {
    ended = true;
  });
  clock.advance(1_999);
  await turns();
  expect(ended).toBe(false);
  clock.advance(1);
  await turns();
  expect(ended).toBe(true);
});

test("what it rejects, or never takes, is counted, and the next goes out", async () => {
  const answers: Sent[] = [
    { kind: "taken", rejected: 1 },
    { kind: "never", error: new Error("it answered 400") },
  ];
  const { messages, losses, out } = exporter(async () => answers.shift() ?? { kind: "taken", rejected: 0 });
  for (let each = 0; each < 1_300; each++) out.add(span);
  await turns();
  await out.end(2_000);
  expect(messages.map(({ resourceSpans }) => resourceSpans[0]!.scopeSpans[0]!.spans.length)).toEqual([512, 512, 276]);
  expect(losses).toEqual([
    [1, "the receiver did not take them"],
    [512, "it answered 400"],
  ]);
  expect(out.status).toEqual({ exported: 511 + 276, dropped: 513, waiting: 0, error: null });
});
