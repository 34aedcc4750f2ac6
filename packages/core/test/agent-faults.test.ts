// Faults of our own code in a worker: the app lives on, a connection ends for them, and the primary is told.
import { describe, expect, test } from "vitest";
import { PrimaryProcess } from "./support/primary-process.ts";
import { exchange } from "./support/raw-client.ts";
import { RelayedClients } from "./support/relayed-clients.ts";

const forwarded = "GET /who HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";

test("hand-off mode: what a relay cannot write ends that response, and is told once a second", async () => {
  // The app's process is one in which Node's own method fails: a fault that no check of ours foresees.
  const clients = await RelayedClients.start();
  await (await clients.at("1"))
    .send(`GET /break-node?addTrailers HTTP/1.1\r\nHost: x\r\nCookie: ${clients.cookies.get("1")}\r\n\r\n`)
    .response();
  const pids = await clients.primary.workerPids();
  for (let n = 0; n < 3; n += 1) await (await clients.relayed("GET /sum HTTP/1.1")).closed;
  const fault = await clients.primary.event("agent-fault", ({ instance }) => instance === 1);
  expect(fault).toMatchObject({ where: "a relayed request: data", message: "broken by the test" });
  expect(fault.stack).toContain("addTrailers");
  expect(clients.primary.events.filter(({ name }) => name === "agent-fault").length).toBeLessThan(3);
  expect(await clients.primary.workerPids()).toEqual(pids);
});

describe.each(["proxy", "handoff"])("%s mode", (mode) => {
  test("a fault in what we do for each request ends no app", async () => {
    const primary = new PrimaryProcess("handoff-relay-app.ts", {
      env: {
        LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 1 }),
      },
    });
    const { port } = await primary.up();
    const pids = await primary.workerPids();
    const what = mode === "proxy" ? "removeHeader" : "splice";
    await exchange(port, `GET /break-node?${what} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    // Where nothing can be known of a request any more, it gets nowhere.
    const answer = await exchange(port, forwarded).catch(() => undefined);
    if (mode === "proxy") expect(answer?.status).toBe(200);
    const { instance, message } = await primary.event("agent-fault");
    expect([instance, message]).toEqual([1, "broken by the test"]);
    expect(await primary.workerPids()).toEqual(pids);
  });

  test("what the app throws is the app's: it ends as it would without us", async () => {
    const primary = new PrimaryProcess("handoff-relay-app.ts", {
      env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 1 }) },
    });
    const { port } = await primary.up();
    await exchange(port, "POST /throw HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").catch(() => {});
    expect(await primary.event("exit")).toMatchObject({ reason: "crashed", exitCode: 1 });
    expect(primary.stderr).toContain("thrown by the app");
    expect(primary.events.filter(({ name }) => name === "agent-fault")).toEqual([]);
  });
});
