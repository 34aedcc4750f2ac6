// The access log of a cluster: what clients have seen, what `status()` counts and what stands there are the same, in both modes.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { AccessRecord } from "../src/model/access-record.ts";
import { httpGet } from "./support/http-get.ts";
import { Ledger } from "./support/ledger.ts";
import { leavesEarly, saysNonsense } from "./support/odd-clients.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { testCertificate } from "./support/test-certificate.ts";

const folder = mkdtempSync(join(tmpdir(), "lb-access-log-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let logs = 0;

type Line = Omit<AccessRecord, "time"> & { readonly time: string };

function linesOf(path: string): Line[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** What a program says of these files, one after the other. */
function readBy(program: string, files: readonly string[]): string {
  return execFileSync("sh", ["-c", `zcat -f -- "$@" | ${program}`, "sh", ...files], { encoding: "utf8" });
}

async function httpsGet(port: number, options: object): Promise<number> {
  const sent = request({ host: "127.0.0.1", port, agent: false, ...options }).end();
  const [response] = await once(sent, "response");
  response.resume();
  return response.statusCode;
}

async function startCluster(options: object, accessLog: (path: string) => unknown = (path) => path) {
  const ledger = new Ledger();
  const path = join(folder, `${++logs}.log`);
  const primary = new PrimaryProcess("ledger.ts", {
    env: {
      LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 2, accessLog: accessLog(path), ...options }),
      LB_TEST_LEDGER: ledger.path,
    },
  });
  const { port, https } = await primary.up();
  return { primary, port, https, url: `http://127.0.0.1:${port}`, path };
}

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  test("a line for each request, of whatever became of it, and for what was none", async () => {
    const { primary, port, url, path } = await startCluster({ mode, allowedHosts: ["127.0.0.1"] });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const headers = { "user-agent": 'a "browser"\\', referer: "http://x.example/?token=s3cret", cookie: "s3cret=1" };
    await httpGet(`${url}/work?ms=20&token=s3cret&id=1`, { agent, headers });
    await httpGet(`${url}/missing`, { agent, headers: { authorization: "Basic s3cret" } });
    await httpGet(`${url}/work`, { method: "POST", body: Buffer.alloc(50_000), agent });
    await httpGet(`${url}/work`, { headers: { host: "elsewhere.example" } });
    await saysNonsense(port);
    await leavesEarly(primary, `${url}/never?id=x`);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    await new Promise((opened) => socket.once("message", opened));
    const lines = await vi.waitFor(
      () => {
        const written = linesOf(path);
        expect(written).toHaveLength(7);
        return written;
      },
      { timeout: 10_000 },
    );
    socket.terminate();
    const lineThat = (wanted: (line: Line) => boolean) => lines.find(wanted);
    const work = lineThat(({ method, target }) => method === "GET" && target?.startsWith("/work?") === true);
    const missing = lineThat(({ target }) => target === "/missing");
    const posted = lineThat(({ method }) => method === "POST");
    const refused = lineThat(({ status }) => status === 421);
    const none = lineThat(({ end }) => end === "no-request");
    const gone = lineThat(({ end }) => end === "client-left");
    const tunnel = lineThat(({ end }) => end === "tunnel");
    expect(work).toMatchObject({
      ...{
        client: "127.0.0.1",
        listener: 0,
        tls: false,
        method: "GET",
        host: `127.0.0.1:${port}`,
        protocol: "HTTP/1.1",
      },
      ...{ target: "/work?ms=20&token=***&id=1", status: 200, attempts: 1, answeredBy: "app", end: "complete" },
      ...{ referer: "http://x.example/?token=***", userAgent: 'a "browser"\\' },
    });
    expect([1, 2]).toContain(work!.instance);
    expect(work!.firstByteMs).toBeGreaterThan(15);
    expect(work!.totalMs).toBeGreaterThanOrEqual(work!.firstByteMs!);
    expect(Math.abs(Date.parse(work!.time) - Date.now())).toBeLessThan(60_000);
    expect(missing).toMatchObject({ instance: expect.any(Number), status: 404 });
    expect(posted!.bytesIn).toBeGreaterThan(50_000);
    expect(work).not.toHaveProperty("reason");
    expect(refused).toMatchObject({
      status: 421,
      answeredBy: "front",
      reason: "host-not-allowed",
      host: "elsewhere.example",
    });
    expect(none).toMatchObject({ status: 400, answeredBy: "front", reason: "method", end: "no-request" });
    expect(gone).toMatchObject({ target: "/never?id=x", end: "client-left", answeredBy: "nobody" });
    expect(tunnel).toMatchObject({ status: 101, end: "tunnel" });
    expect(readFileSync(path, "utf8")).not.toContain("s3cret");
  });

  test("an id for each request: the app has it, the log, and the client if wanted; nobody makes one up", async () => {
    const { url, path } = await startCluster({
      ...{ mode, trustedProxies: ["127.0.0.1"], requestId: { response: true }, allowedHosts: ["127.0.0.1"] },
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const ask = async (id?: string) => {
      const given: Record<string, string> = id === undefined ? {} : { "x-request-id": id };
      const { body, headers } = await httpGet(`${url}/id`, { agent, headers: given });
      expect(headers["x-request-id"]).toBe(body);
      return body;
    };
    const ids = [await ask(), await ask("of-a-proxy.1"), await ask('with "quotes"'), await ask()];
    expect(ids[1]).toBe("of-a-proxy.1");
    for (const made of [ids[0], ids[2], ids[3]]) expect(made).toMatch(/^[\w-]{8}-\w+$/);
    // What is refused has one as well: in hand-off mode by the instance, and on a new connection by the front.
    for (const by of [agent, undefined]) {
      const refused = await httpGet(`${url}/id`, { ...(by && { agent: by }), headers: { host: "elsewhere.example" } });
      expect(refused.status).toBe(421);
      ids.push(String(refused.headers["x-request-id"]));
    }
    expect(new Set(ids).size).toBe(6);
    await vi.waitFor(
      () =>
        expect(
          linesOf(path)
            .map(({ id }) => id)
            .sort(),
        ).toEqual(ids.sort()),
      { timeout: 10_000 },
    );
    const untrusting = await startCluster({ mode });
    const { body, headers } = await httpGet(`${untrusting.url}/id`, { headers: { "X-REQUEST-ID": "forged" } });
    expect(body).toMatch(/^[\w-]{8}-\w+$/);
    expect(headers["x-request-id"]).toBe(undefined);
  });

  test("as many lines as clients had answers and as status() counts, through a kill, a reload and rotations", async () => {
    const rotate = { maxBytes: 2_000, files: 1_000, gzip: true };
    const { primary, url, path } = await startCluster({ mode }, (to) => ({ to, rotate }));
    const seen: number[] = [];
    let failed = 0;
    let goesOn = true;
    const client = async () => {
      while (goesOn) {
        await httpGet(`${url}/work?ms=5`).then(
          ({ status }) => seen.push(status),
          () => failed++,
        );
      }
    };
    const clients = Promise.all(Array.from({ length: 4 }, client));
    const after = (requests: number) =>
      vi.waitFor(() => expect(seen.length).toBeGreaterThan(requests), { timeout: 20_000 });
    await after(50);
    process.kill((await primary.status()).instances[0]!.pid!, "SIGKILL");
    await after(seen.length + 50);
    renameSync(path, `${path}.moved`);
    primary.kill("SIGUSR2");
    await primary.operate("reload", { watchMs: 200 });
    await after(seen.length + 50);
    goesOn = false;
    await clients;
    // Of an instance that is killed in hand-off mode nobody knows what it has done in its last tenth of a second.
    const lost = mode === "proxy" ? 0 : 200;
    const { traffic, accessLog } = await primary.statusThat(
      ({ accessLog: log, traffic: { total, inFlight } }) =>
        log!.waiting === 0 && inFlight === 0 && total.requests >= seen.length - lost,
    );
    const { requests } = traffic.total;
    if (mode === "proxy") expect([requests, failed]).toEqual([seen.length, 0]);
    expect(accessLog).toEqual({
      ...{ file: path, format: "json", written: requests, dropped: 0, waiting: 0, error: null },
    });
    const files = await vi.waitFor(
      () => {
        const names = readdirSync(folder).filter((name) => name.startsWith(basename(path)));
        // All but the one that is written to, and the one that we have moved ourselves.
        expect(names.filter((name) => name.endsWith(".gz"))).toHaveLength(names.length - 2);
        return names.map((name) => join(folder, name));
      },
      { timeout: 10_000 },
    );
    expect(files.length).toBeGreaterThan(2);
    const statuses = readBy("jq -r '.status // \"none\"'", files).trimEnd().split("\n");
    expect(statuses).toHaveLength(requests);
    if (mode === "proxy") expect(statuses.sort()).toEqual(seen.map(String).sort());
  });
});

test.each(["proxy", "handoff"] as const)(
  "%s: what was agreed on with TLS, and what was refused alone",
  async (mode) => {
    const { cert, key } = testCertificate(["DNS:a.example"]);
    const { https, url, path } = await startCluster(
      {
        mode,
        https: { port: 0, certificates: [{ cert, key }] },
        allowedHosts: ["a.example", "127.0.0.1"],
      },
      (to) => ({ to, only: "refusals" }),
    );
    const options = { servername: "a.example", rejectUnauthorized: false, maxVersion: "TLSv1.2" } as const;
    await httpsGet(https!.port, { ...options, headers: { host: "elsewhere.example" } });
    expect((await httpGet(`${url}/missing`)).status).toBe(404);
    expect((await httpGet(`${url}/work`, { headers: { host: "elsewhere.example" } })).status).toBe(421);
    const lines = await vi.waitFor(
      () => {
        const written = linesOf(path);
        expect(written).toHaveLength(2);
        return written;
      },
      { timeout: 10_000 },
    );
    // In hand-off mode of two instances, each of which tells when it likes.
    const [secure, plain] = lines.sort((one, other) => Number(other.tls) - Number(one.tls));
    expect(secure).toMatchObject({ tls: true, tlsVersion: "TLSv1.2", reason: "host-not-allowed" });
    expect(secure!.tlsCipher).toMatch(/^ECDHE-/);
    expect(plain).toMatchObject({ tls: false, reason: "host-not-allowed", status: 421 });
    expect(plain).not.toHaveProperty("tlsVersion");
  },
);

test("goaccess reads what nginx would have written, from files that were put aside too", async () => {
  const rotate = { maxBytes: 1_000, gzip: true };
  const { primary, url, path } = await startCluster({}, (to) => ({ format: "combined", to, rotate }));
  for (let at = 0; at < 7; at++) {
    await httpGet(`${url}/work?at=${at}`, {
      headers: { "user-agent": `x" 500 0 "\\[31m${"x".repeat(100)}` },
    });
  }
  await primary.statusThat(({ accessLog }) => accessLog!.written === 7);
  await httpGet(`${url}/missing`, { headers: { referer: "http://elsewhere.example/page" } });
  await primary.statusThat(({ accessLog }) => accessLog!.written === 8);
  const report = join(folder, "report.json");
  const files = [`${path}.1.gz`, path];
  await vi.waitFor(() => expect(files.map((file) => existsSync(file))).toEqual([true, true]), { timeout: 10_000 });
  readBy(`goaccess - --log-format=COMBINED --no-global-config -o ${report}`, files);
  const { general, status_codes: codes } = JSON.parse(readFileSync(report, "utf8"));
  expect(general).toMatchObject({ total_requests: 8, valid_requests: 8, failed_requests: 0 });
  expect(codes.data.map(({ data }: { readonly data: string }) => data.slice(0, 3)).sort()).toEqual(["2xx", "4xx"]);
});

test("a log that cannot be written is told before anything is served", async () => {
  const primary = new PrimaryProcess("ledger.ts", {
    env: {
      LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 1, accessLog: join(folder, "none", "access.log") }),
      LB_TEST_LEDGER: new Ledger().path,
    },
  });
  const { code, message } = await primary.failed();
  expect(code).toBe("LB_ACCESS_LOG");
  expect(message).toContain("none/access.log cannot be written (ENOENT");
});

test("a full disk holds nobody up, and is told (FAULTS 67)", async () => {
  const { primary, url } = await startCluster({}, () => "/dev/full");
  for (let at = 0; at < 3; at++) expect((await httpGet(`${url}/work`)).status).toBe(200);
  const { accessLog } = await primary.statusThat(({ accessLog: log }) => log!.error !== null);
  expect(accessLog).toMatchObject({ written: 0, waiting: 3, dropped: 0 });
  expect(accessLog!.error).toMatch(/^ENOSPC/);
  await primary.close();
  await vi.waitFor(() => expect(primary.log).toContain("3 lines of the access log lost: ENOSPC"), { timeout: 10_000 });
});
