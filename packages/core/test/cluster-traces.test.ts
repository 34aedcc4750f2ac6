// Traces of a cluster: what the app is told, and what a receiver of OTLP gets, in both modes.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { ask, openSession } from "./support/http2-front.ts";
import { Ledger } from "./support/ledger.ts";
import { OtlpReceiver, type ReceivedSpan } from "./support/otlp-receiver.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { testCertificate } from "./support/test-certificate.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const parentId = "00f067aa0ba902b7";
const traceparent = `00-${traceId}-${parentId}-01`;

async function start(options: object, tracing: object = {}) {
  const ledger = new Ledger();
  const receiver = await OtlpReceiver.start();
  const primary = new PrimaryProcess("ledger.ts", {
    env: {
      LB_TEST_OPTIONS: JSON.stringify({
        port: 0,
        instances: 2,
        name: "shop",
        tracing: { otlp: receiver.url, ...tracing },
        ...options,
      }),
      LB_TEST_LEDGER: ledger.path,
    },
  });
  const up = await primary.up();
  return { primary, ledger, receiver, url: `http://127.0.0.1:${up.port}`, up };
}

async function trace(url: string, headers: Record<string, string> = {}) {
  const { body } = await httpGet(url, { headers });
  const told = JSON.parse(body) as { readonly traceparent?: string; readonly tracestate?: string };
  const [, trace = "", span = "", flags = ""] = told.traceparent?.split("-") ?? [];
  return { ...told, trace, span, flags };
}

function spanOf(spans: readonly ReceivedSpan[], wanted: Partial<ReceivedSpan>): ReceivedSpan {
  const found = spans.find((span) =>
    Object.entries(wanted).every(([name, value]) => span[name as keyof ReceivedSpan] === value),
  );
  if (found === undefined) throw new Error(`no ${JSON.stringify(wanted)} among ${spans.map(({ name }) => name)}`);
  return found;
}

/** Each is a child of the one before it, and within its time. */
function expectNested(...spans: ReceivedSpan[]) {
  for (const [at, child] of spans.entries()) {
    expect(child.end).toBeGreaterThanOrEqual(child.start);
    const parent = spans[at - 1];
    if (parent === undefined) continue;
    expect(child.parentSpanId).toBe(parent.spanId);
    expect(child.start).toBeGreaterThanOrEqual(parent.start);
    // The end of a response may be seen a moment later where it was written.
    expect(child.start).toBeLessThanOrEqual(parent.end);
    expect(child.end - parent.end).toBeLessThan(500_000_000n);
  }
}

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  test("a request of a trusted proxy goes on with its trace, others begin one; each has its spans, and failures are marked", async () => {
    const accessLog = join(mkdtempSync(join(tmpdir(), "lb-traces-")), "access.log");
    onTestFinished(() => rmSync(dirname(accessLog), { recursive: true }));
    const trusting = await start({
      mode,
      trustedProxies: ["127.0.0.1"],
      allowedHosts: ["127.0.0.1"],
      requestId: true,
      admin: { port: 0 },
      accessLog,
    });
    const { receiver, url } = trusting;
    const told = await trace(`${url}/trace?ms=20&token=s3cret`, { traceparent, tracestate: "vendor=1" });
    expect(told).toMatchObject({ trace: traceId, flags: "01", tracestate: "vendor=1" });
    // Who looks for it finds it in the log and in the metrics.
    const line = JSON.parse(
      await eventually(() => /^.*\n/.exec(existsSync(accessLog) ? readFileSync(accessLog, "utf8") : "")?.[0], {
        what: "a line",
      }),
    );
    expect(line).toMatchObject({ traceId });
    const exemplar = new RegExp(
      `^lb_request_duration_seconds_bucket\\{.*\\} 1 # \\{trace_id="${traceId}"\\} \\d\\.\\d`,
      "m",
    );
    const accept = "application/openmetrics-text";
    await eventually(
      async () => exemplar.test((await httpGet(`${trusting.up.admin!}/metrics`, { headers: { accept } })).body),
      { what: "the trace in the metrics" },
    );

    const unsampled = `00-${"a".repeat(32)}-${"b".repeat(16)}-00`;
    expect(await trace(`${url}/trace`, { traceparent: unsampled })).toMatchObject({ traceparent: unsampled });
    for (const malformed of [
      "00-00-00-01",
      traceparent.toUpperCase(),
      `00-${"0".repeat(32)}-${parentId}-01`,
      `ff${traceparent.slice(2)}`,
    ]) {
      const begun = await trace(`${url}/trace`, { traceparent: malformed, tracestate: "vendor=1" });
      expect(begun.tracestate).toBe(undefined);
      expect(begun.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
      expect(begun.trace).not.toBe(traceId);
    }
    await httpGet(`${url}/fails`, { headers: { traceparent: traceparent.replaceAll("4", "5") } });
    await httpGet(`${url}/`, { headers: { traceparent: traceparent.replaceAll("4", "6"), host: "elsewhere" } });

    const count = mode === "proxy" ? 3 : 1;
    const spans = await receiver.trace(traceId, count);
    expect(spans).toHaveLength(count);
    const server = spanOf(spans, { kind: "server" });
    expect(server).toMatchObject({ name: "GET", parentSpanId: parentId, failed: false });
    expect(server.attributes).toMatchObject({
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "url.path": "/trace",
      "url.query": "ms=20&token=***",
      "url.scheme": "http",
      "server.address": "127.0.0.1",
      "client.address": "127.0.0.1",
      "network.protocol.version": "1.1",
      "lb.answered_by": "app",
      "lb.request_id": expect.stringMatching(/^[\w-]{8}-\w+$/),
    });
    expect(server.spanId).toBe(line.spanId);
    expect(server.resource).toMatchObject({ "service.name": "shop", "telemetry.sdk.name": "@lb/core" });
    expect(server.end - server.start).toBeGreaterThan(18_000_000n);
    expect(Math.abs(Number(server.start / 1_000_000n) - Date.now())).toBeLessThan(60_000);
    if (mode === "proxy") {
      const attempt = spanOf(spans, { kind: "client" });
      const handler = spanOf(spans, { name: "handler" });
      expectNested(server, attempt, handler);
      expect(handler.end - handler.start).toBeGreaterThan(18_000_000n);
      expect(handler.spanId).toBe(told.span);
      expect(attempt.attributes).toMatchObject({ "http.response.status_code": 200, "network.transport": "unix" });
    } else expect(server.spanId).toBe(told.span);
    const failed = spanOf(await receiver.trace(traceId.replaceAll("4", "5"), count), { kind: "server" });
    expect(failed).toMatchObject({
      failed: true,
      attributes: { "error.type": "500", "http.response.status_code": 500 },
    });
    const refused = spanOf(await receiver.trace(traceId.replaceAll("4", "6"), 1), { kind: "server" });
    expect(refused).toMatchObject({
      failed: false,
      attributes: { "lb.answered_by": "front", "http.response.status_code": 421, "server.address": "elsewhere" },
    });
    expect(receiver.spans.some((span) => span.traceId === "a".repeat(32))).toBe(false);
    expect(receiver.requests[0]!.path).toBe("/v1/traces");
    await trusting.primary.close();
    // Of each that was sampled, those of the malformed ones included.
    await eventually(() => receiver.spans.length > 6, { what: "all spans" });
  });

  test("untrusted clients do not decide: their traces end here, and unsampled ones say so", async () => {
    const { receiver, url, primary } = await start({ mode }, { sample: 0 });
    for (const headers of [{}, { traceparent }]) {
      const told = await trace(`${url}/trace`, { ...headers, tracestate: "vendor=1" });
      expect(told.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
      expect(told.trace).not.toBe(traceId);
      expect(told.tracestate).toBe(undefined);
    }
    expect((await primary.status()).tracing).toEqual({ exported: 0, dropped: 0, waiting: 0, error: null });
    expect(receiver.requests).toEqual([]);
  });
});

// Side by side, since it is waiting.
test("FAULTS 68: a receiver that answers nothing costs no request, and what is lost is counted; in both modes", async () => {
  const meet = async (mode: string) => {
    const { receiver, url, primary } = await start({ mode });
    receiver.status = 400;
    await httpGet(`${url}/trace`);
    const refused = await primary.statusThat(({ tracing }) => tracing!.dropped > 0);
    expect(refused.tracing).toMatchObject({ error: "the receiver answered 400" });
    expect((await primary.event("spans-dropped")).dropped).toBeGreaterThan(0);
    receiver.status = undefined;
    for (let each = 0; each < 20; each++) expect((await httpGet(`${url}/trace`)).status).toBe(200);
    await eventually(() => receiver.requests.length > 1, { what: "a message that is not answered" });
    const began = performance.now();
    await primary.close();
    expect(performance.now() - began).toBeLessThan(6_000);
  };
  await Promise.all([meet("proxy"), meet("handoff")]);
});

test("an instance that is killed is an attempt that failed, and the request goes on with another", async () => {
  const { receiver, url, primary, ledger } = await start({ trustedProxies: ["127.0.0.1"], serverTiming: true });
  const answer = httpGet(`${url}/work?ms=400&id=killed`, { headers: { traceparent } });
  const line = await eventually(() => /^killed (\d+)$/m.exec(readFileSync(ledger.path, "utf8")), { what: "it began" });
  process.kill(Number(line[1]), "SIGKILL");
  const { status, headers } = await answer;
  expect(status).toBe(200);
  expect(headers["server-timing"]).toMatch(/lb-retry;dur=\d+\.\d, lb-app;dur=([4-9]\d\d|\d{4,})\.\d$/);
  const spans = await receiver.trace(traceId, 4);
  const server = spanOf(spans, { kind: "server" });
  expect(server.attributes).toMatchObject({ "lb.attempts": 2, "http.response.status_code": 200 });
  const attempts = spans.filter(({ kind }) => kind === "client").sort((one, other) => Number(one.start - other.start));
  expect(attempts).toHaveLength(2);
  const [first, second] = attempts as [ReceivedSpan, ReceivedSpan];
  expect(first).toMatchObject({ failed: true, attributes: { "error.type": "reset" } });
  expect(second).toMatchObject({ failed: false, attributes: { "http.request.resend_count": 1 } });
  expect(second.start).toBeGreaterThanOrEqual(first.end);
  expectNested(server, first);
  expectNested(server, second, spanOf(spans, { name: "handler" }));
  expect((await primary.status()).tracing!.dropped).toBe(0);
});

test("over HTTP/2, and while it waits for others", async () => {
  const certificates = [testCertificate(["DNS:a.example", "IP:127.0.0.1"])];
  const { receiver, up } = await start(
    { https: { port: 0, certificates }, limits: { maxRequestsInFlight: 1 }, serverTiming: true },
    { parents: "any" },
  );
  const session = await openSession(up.https!.port);
  const bodies = [7, 8].map((digit) => {
    const own = `00-${traceId.replaceAll("4", String(digit))}-${parentId}-01`;
    return ask(session, { ":path": "/trace?ms=50", traceparent: own });
  });
  const answers = await Promise.all(bodies);
  expect(answers[1]!.headers["server-timing"]).toMatch(/^lb-queue;dur=\d+\.\d, lb-app;dur=\d+\.\d$/);
  const second = await receiver.trace(traceId.replaceAll("4", "8"), 4);
  const server = spanOf(second, { kind: "server" });
  expect(server.attributes).toMatchObject({ "network.protocol.version": "2", "url.scheme": "https" });
  const queue = spanOf(second, { name: "queue" });
  expectNested(server, queue);
  expect(queue.end - queue.start).toBeGreaterThan(30_000_000n);
  expect(spanOf(second, { kind: "client" }).start).toBeGreaterThanOrEqual(queue.end - 1_000_000n);
});
