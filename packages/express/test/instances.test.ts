import { once } from "node:events";
import { resolve } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "../../core/test/support/eventually.ts";
import { httpGet } from "../../core/test/support/http-get.ts";
import { startPrimary } from "../../core/test/support/primary-process.ts";

const fixture = resolve(import.meta.dirname, "fixtures/instances.ts");

it.each(["proxy", "handoff"])(
  "%s: four instances with one rate limit, each its name, and gateways to all of them",
  async (mode) => {
    const options = { port: 0, instances: 4, mode };
    const { primary, up } = await startPrimary(fixture, { env: { LB_TEST_OPTIONS: JSON.stringify(options) } });
    const direct = up.instances.map(({ port }) => `http://127.0.0.1:${port}`);
    const origins = [`http://127.0.0.1:${up.port}`, ...direct];

    const named = await Promise.all(direct.map((origin) => httpGet(origin)));
    expect(named.map(({ headers }) => headers["x-instance-id"])).toEqual(["1", "2", "3", "4"]);
    expect(named.map(({ headers }) => `http://${headers["x-backend-server"]}`)).toEqual(direct);

    const limited = await Promise.all(
      Array.from({ length: 100 }, (_, index) => httpGet(`${origins[index % origins.length]}/limited`)),
    );
    const statuses = limited.map(({ status }) => status);
    expect([
      statuses.filter((status) => status === 200).length,
      statuses.filter((status) => status === 429).length,
    ]).toEqual([41, 59]);
    const passed = limited.filter(({ status }) => status === 200).map(({ headers }) => headers["ratelimit-remaining"]);
    expect(passed.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 41 }, (_, index) => index));

    // What one instance forgets is forgotten by all.
    expect((await httpGet(`${direct[2]}/forget`)).body).toBe("forgotten");
    expect((await httpGet(`${direct[0]}/limited`)).headers["ratelimit-remaining"]).toBe("40");

    const peers = async () =>
      new Set(await Promise.all(Array.from({ length: 8 }, async () => (await httpGet(`${direct[0]}/peers/`)).body)));
    expect(await peers()).toEqual(new Set(["1", "2", "3", "4"]));

    // From the client to an instance, by whichever way the mode has, and from there to another.
    const sockets = Array.from({ length: 8 }, () => new WebSocket(`ws://127.0.0.1:${up.port}/peers/echo`));
    onTestFinished(() => {
      for (const socket of sockets) socket.terminate();
    });
    const big = "x".repeat(300_000);
    const echoes = await Promise.all(
      sockets.map(async (socket) => {
        if (socket.readyState !== WebSocket.OPEN) await once(socket, "open");
        const answer = once(socket, "message");
        socket.send(big);
        return String((await answer)[0]);
      }),
    );
    for (const echo of echoes) expect(echo.slice(2)).toBe(big);
    // Some gateway has two of them, and takes its peers in turn.
    expect(new Set(echoes.map((echo) => echo[0])).size).toBeGreaterThan(1);
    for (const socket of sockets) socket.terminate();

    const whenDraining = httpGet(`${direct[3]}/health-once-draining`);
    await eventually(async () => (await httpGet(`${direct[3]}/waiting-for-drain`)).body === "1", { what: "it waits" });
    // Of the new requests none is lost while one instance leaves the gateways' lists.
    const leaving = primary.operate("scale", 3);
    expect(await whenDraining).toMatchObject({ status: 503, body: '{"status":"draining"}\n' });
    await leaving;
    await eventually(async () => !(await peers()).has("4"), { what: "the gateways leave instance 4 out" });
    expect(await peers()).toEqual(new Set(["1", "2", "3"]));
  },
);

it("health() is 503 from the beginning of the end, while requests are still taken", async () => {
  const options = { port: 0, instances: 1, shutdownDelayMs: 60_000 };
  const { primary, up } = await startPrimary(fixture, { env: { LB_TEST_OPTIONS: JSON.stringify(options) } });
  const direct = `http://127.0.0.1:${up.instances[0]!.port}`;
  expect((await httpGet(`${direct}/health/ready`)).status).toBe(200);
  primary.kill("SIGTERM");
  const ready = async () => (await httpGet(`${direct}/health/ready`)).status;
  await eventually(async () => (await ready()) === 503, { what: "it is not ready" });
  const { status, headers } = await httpGet(`http://127.0.0.1:${up.port}/`);
  expect([status, headers["connection"]]).toEqual([200, "close"]);
});
