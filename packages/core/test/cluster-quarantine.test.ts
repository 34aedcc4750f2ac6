// FAULTS 76: requests that end their instances again and again, among others that must not notice.
import { connect } from "node:http2";
import { expect, test } from "vitest";
import { edgeCertificate } from "./support/edge.ts";
import { httpGet } from "./support/http-get.ts";
import { Ledger } from "./support/ledger.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { steadyTraffic } from "./support/steady-traffic.ts";

async function startCluster(options: object = {}) {
  const ledger = new Ledger();
  const primary = new PrimaryProcess("ledger.ts", {
    env: {
      LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 3, ...options }),
      LB_TEST_LEDGER: ledger.path,
    },
  });
  const { port } = await primary.up();
  const exits = () => primary.events.filter(({ name }) => name === "exit").length;
  const ready = () => primary.statusThat(({ instances }) => instances.every(({ state }) => state === "ready"));
  return { ledger, primary, port, url: `http://127.0.0.1:${port}`, exits, ready };
}

/** Asks until it gets another answer than 502, which is one death or two each time. */
async function untilRefused(ask: () => Promise<{ readonly status: number }>, ready: () => Promise<unknown>) {
  for (let times = 1; times <= 4; times += 1) {
    const { status } = await ask();
    await ready();
    if (status !== 502) return { status, times };
  }
  throw new Error("it was never refused");
}

test("FAULTS 76: refused after its second victim, whatever its method and its body; nobody else notices", async () => {
  const { ledger, primary, port, url, exits, ready } = await startCluster();
  const traffic = steadyTraffic(ledger, port);
  const poison = `${url}/poison?how=exit&token=s3cret`;
  const posted = (body: string | Buffer) => () => httpGet(poison, { method: "POST", body });
  const attempts = [
    () => httpGet(poison),
    posted("the one that it cannot stand"),
    posted(Buffer.alloc(300_000, "x")),
    () => httpGet(poison, { method: "PUT", body: "" }),
  ];
  for (const ask of attempts) {
    const deaths = exits();
    expect((await untilRefused(ask, ready)).status).toBe(503);
    // On a busy machine the second may take longer to die than it is alone.
    expect(exits() - deaths).toBeLessThanOrEqual(4);
  }
  const deaths = exits();
  const refused = await httpGet(poison);
  expect(refused).toMatchObject({ status: 503, headers: { "retry-after": expect.stringMatching(/^[1-9]\d*$/) } });
  // Another body is another request: it is not refused for what this one has done.
  expect((await httpGet(`${url}/work?how=exit`, { method: "POST", body: "another" })).status).toBe(200);
  expect(exits()).toBe(deaths);
  expect(await primary.event("request-quarantined")).toMatchObject({
    method: "GET",
    url: `127.0.0.1:${port}/poison`,
    deaths: expect.any(Number),
  });
  expect(JSON.stringify(primary.events)).not.toContain("s3cret");
  await traffic.stop();
  expect(traffic.failed).toEqual([]);
  ledger.balance();
});

test("FAULTS 76: isolated, it goes on ending instances, and takes nobody with it", async () => {
  const { ledger, primary, port, url, exits, ready } = await startCluster({ quarantine: "isolate" });
  const traffic = steadyTraffic(ledger, port);
  for (let times = 0; times < 3; times += 1) {
    expect((await httpGet(`${url}/poison?how=exit`)).status).toBe(502);
    await ready();
  }
  await primary.event("request-quarantined");
  expect(exits()).toBeGreaterThanOrEqual(4);
  await traffic.stop();
  expect(traffic.failed).toEqual([]);
});

/** Each on a connection of its own. */
const posts = {
  "HTTP/1.1": async ({ url }: { readonly url: string }, body: string) =>
    (await httpGet(`${url}/work?ms=400`, { method: "POST", body })).status,
  "HTTP/2": ({ httpsPort }: { readonly httpsPort: number }, body: string) => {
    const session = connect(`https://127.0.0.1:${httpsPort}`, { rejectUnauthorized: false });
    return new Promise<number>((resolve, reject) => {
      const stream = session.request({ ":method": "POST", ":path": "/work?ms=400" });
      stream.on("response", ({ ":status": status }) => resolve(status!));
      stream.on("error", reject).resume().end(body);
    }).finally(() => session.destroy());
  },
};

test.each(Object.keys(posts) as (keyof typeof posts)[])(
  "an innocent request is what it was, as soon as it was answered once more (%s)",
  async (protocol) => {
    const https = { port: 0, certificates: [edgeCertificate()] };
    const cluster = await startCluster({ quarantine: { termMs: 600_000 }, https });
    const { primary, ready } = cluster;
    const place = { ...cluster, httpsPort: (await primary.status()).https!.port };
    // Of several frames and reads, none of which may wait for the other.
    const body = "innocent".repeat(3_000);
    for (let times = 0; times < 2; times += 1) {
      const work = posts[protocol](place, body);
      const { instances } = await primary.statusThat((status) => status.instances.some(({ inFlight }) => inFlight > 0));
      process.kill(instances.find(({ inFlight }) => inFlight > 0)!.pid!, "SIGKILL");
      expect(await work).toBe(502);
      await ready();
      expect(await posts[protocol](place, body)).toBe(200);
    }
    expect(primary.events.some(({ name }) => name === "request-quarantined")).toBe(false);
  },
);
