// A whole cluster whose clients speak HTTP/2: FAULTS 1 and 63, and sessions that stay where they are.
import { execFile } from "node:child_process";
import { once } from "node:events";
import type { ClientHttp2Session } from "node:http2";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { frame, request, requestFields, uint32 } from "./support/http2-frames.ts";
import { answerOn, ask, openSession } from "./support/http2-front.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { RawHttp2Client } from "./support/raw-http2-client.ts";
import { testCertificate } from "./support/test-certificate.ts";

const run = promisify(execFile);

async function start(options: object = {}) {
  const certificates = [testCertificate(["DNS:a.example", "IP:127.0.0.1"])];
  // One connection for all of a test.
  const http2 = { maxRequests: 1_000_000 };
  const all = { port: 0, instances: 2, https: { port: 0, certificates }, http2, ...options };
  const primary = new PrimaryProcess("app.ts", { env: { LB_TEST_OPTIONS: JSON.stringify(all) } });
  const { https, instances } = await primary.up();
  return { primary, httpsPort: https!.port, instances };
}

/** A hundred requests at any time, until it is told to stop; resolves with how many there were. */
function busy(session: ClientHttp2Session) {
  let goesOn = true;
  let answered = 0;
  const lanes = Array.from({ length: 100 }, async (_, lane) => {
    while (goesOn) {
      const { status, body } = await ask(session, { ":path": `/slow?ms=${lane % 20}` });
      expect({ status, body }).toEqual({ status: 200, body: "slow but sure" });
      answered++;
    }
  });
  return {
    answered: () => answered,
    stop: () => {
      goesOn = false;
      return Promise.all(lanes);
    },
  };
}

test("FAULTS 63: a reload with a hundred streams under way costs none of them, nor their connection", async () => {
  const { primary, httpsPort, instances } = await start();
  const session = await openSession(httpsPort);
  const load = busy(session);
  await eventually(() => load.answered() > 100, { what: "the load is on" });
  await primary.operate("reload", { watchMs: 100 });
  const before = load.answered();
  await eventually(() => load.answered() > before + 200, { what: "and goes on" });
  await load.stop();
  expect(session.closed).toBe(false);
  const after = new Set((await primary.status()).instances.map(({ pid }) => pid));
  for (const { pid } of instances) expect(after.has(pid)).toBe(false);
});

test("FAULTS 1: an instance that is killed under a hundred streams costs none that can be repeated", async () => {
  const { primary, httpsPort, instances } = await start();
  const session = await openSession(httpsPort);
  const load = busy(session);
  await eventually(() => load.answered() > 100, { what: "the load is on" });
  process.kill(instances[0]!.pid!, "SIGKILL");
  await primary.statusThat((status) =>
    status.instances.every(({ pid, state }) => state === "ready" && pid !== instances[0]!.pid),
  );
  await load.stop();
});

test("FAULTS 1: a response whose instance dies is a stream that is reset, and none that has ended", async () => {
  const { primary, httpsPort, instances } = await start({ instances: 1 });
  const paths = [
    "/half?bytes=10",
    "/half?bytes=10&length=20",
    // More than its client takes, so that what came of it is held when the instance dies.
    "/half?bytes=5000000",
    "/half?bytes=5000000&length=5000001",
  ];
  const client = await RawHttp2Client.ofTest(httpsPort);
  const streams = paths.map((path, at) => ({ id: 2 * at + 1, path }));
  client.send(frame("windowUpdate", { payload: uint32(1_000_000) }));
  for (const { id, path } of streams) client.send(request(id, requestFields(path)));
  const [large = ""] = paths.slice(-1);
  const curl = run("curl", ["-sSk", "--http2", `https://127.0.0.1:${httpsPort}${large}`], { maxBuffer: 10_000_000 });
  await once(curl.child.stdout!, "data");
  for (const { id } of streams) {
    await client.until(() => client.frames.some(({ type, stream }) => type === "data" && stream === id));
  }
  process.kill(instances[0]!.pid!, "SIGKILL");
  await expect(curl).rejects.toMatchObject({ code: 92 });
  // What was held comes first.
  const much = { payload: uint32(10_000_000) };
  client.send(...[0, 5, 7].map((stream) => frame("windowUpdate", { stream, ...much })));
  for (const { id, path } of streams) expect([path, await client.end(id)]).toEqual([path, "INTERNAL_ERROR"]);
  await primary.statusThat(({ instances: [one] }) => one!.state === "ready" && one!.pid !== instances[0]!.pid);
  expect(await client.ask(9)).toBe("answered");
});

test("FAULTS 63: SIGTERM under a hundred streams: GOAWAY, all are answered, and the process ends", async () => {
  const { primary, httpsPort } = await start();
  const session = await openSession(httpsPort);
  const goaways: unknown[] = [];
  session.on("goaway", (code, last) => goaways.push([code, last]));
  const streams = Array.from({ length: 100 }, () => session.request({ ":path": "/slow?ms=1500" }));
  await new Promise((resolve) => session.ping(resolve));
  primary.kill("SIGTERM");
  const answers = await Promise.all(streams.map(answerOn));
  expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(["200 slow but sure"]));
  expect(goaways[0]).toEqual([0, 2 ** 31 - 1]);
  expect(await primary.exited).toEqual({ code: 0, signal: null });
});

test("BAD-INPUTS 144: a flood is told of, and others are served", async () => {
  const { primary, httpsPort } = await start();
  const session = await openSession(httpsPort);
  const flood = await RawHttp2Client.ofTest(httpsPort);
  while (!flood.ended) await flood.sendMuch(frame("ping", { payload: Buffer.alloc(8) }));
  await primary.event("floods-stopped", ({ stopped }) => stopped === 1);
  expect((await ask(session, { ":path": "/whoami" })).status).toBe(200);
});

test("requests of one session stay with one instance, by a cookie that is for TLS alone, whichever stream they come on", async () => {
  const { httpsPort } = await start({ affinity: "cookie" });
  const session = await openSession(httpsPort);
  const whoami = async (cookie: string) => {
    const { headers, body } = await ask(session, { ":path": "/whoami", ...(cookie !== "" && { cookie }) });
    const seen = JSON.parse(body) as { INSTANCE_ID: string; cookie?: string };
    return { set: headers["set-cookie"]?.[0] ?? "", ...seen };
  };
  const first = await whoami("");
  expect(first.set).toMatch(/; Secure/);
  const [cookie = ""] = first.set.split(";");
  const again = await Promise.all(Array.from({ length: 40 }, () => whoami(`${cookie}; own=1`)));
  expect(new Set(again.map(({ INSTANCE_ID }) => INSTANCE_ID))).toEqual(new Set([first.INSTANCE_ID]));
  expect(new Set(again.map((one) => one.cookie))).toEqual(new Set(["own=1"]));
});

test("http2: false is HTTP/1.1 alone, and so is hand-off mode", async () => {
  for (const options of [{ http2: false }, { mode: "handoff" }]) {
    const { primary, httpsPort } = await start(options);
    expect((await primary.status()).https).toMatchObject({ http2: false });
    const args = ["-sSk", "--http2", "-o", "/dev/null", "-w", "%{http_version}"];
    const { stdout } = await run("curl", [...args, `https://127.0.0.1:${httpsPort}/whoami`]);
    expect(stdout).toBe("1.1");
  }
});
