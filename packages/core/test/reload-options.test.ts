// A reload starts the program anew, and its options may be others by then: the cluster's are those of its start.
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startPrimary } from "./support/primary-process.ts";
import { RawClient } from "./support/raw-client.ts";

const file = join(tmpdir(), `lb-test-options-${process.pid}.json`);
const write = (options: object) => writeFileSync(file, JSON.stringify({ port: 0, mode: "handoff", ...options }));
const get = (host: string) => `GET /whoami HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

test("hand-off: what an instance sees to itself goes by the primary's options, after a reload too", async () => {
  onTestFinished(() => rmSync(file, { force: true }));
  const before = { instances: 2, allowedHosts: ["a.example"], affinity: { cookie: { name: "one" } } };
  write(before);
  const { primary, up } = await startPrimary("app.ts", { env: { LB_TEST_OPTIONS_FILE: file } });
  const seen = async () => {
    const client = await RawClient.ofTest(up.port);
    const first = await client.send(get("a.example")).response();
    const [cookie] = String(first.headers["set-cookie"]).split("=");
    const second = await client.send(get("a.example")).response();
    const foreign = await client.send(get("b.example")).response();
    const statuses = [first, second, foreign].map(({ status }) => status);
    return { statuses, cookie, server: second.headers["x-backend-server"] };
  };
  const asStarted = { statuses: [200, 200, 421], cookie: "one", server: undefined };
  expect(await seen()).toEqual(asStarted);

  write({ ...before, allowedHosts: ["b.example"], affinity: { cookie: { name: "two" } }, backendHeader: true });
  await primary.operate("reload", { watchMs: 50 });
  expect(await seen()).toEqual(asStarted);

  // An option that cannot be used is none of a reload's business either.
  write({ ...before, drainTimeoutMs: "soon" });
  await primary.operate("reload", { watchMs: 50 });
  expect(await seen()).toEqual(asStarted);
});
