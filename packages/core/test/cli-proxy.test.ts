// A balancer over programs that run already, in one command, and in a configuration without an app.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { httpGet } from "./support/http-get.ts";
import { Shell, saidUrl } from "./support/shell.ts";

/** Says its name, and what host it was asked for. */
async function program(name: string): Promise<string> {
  const server = createServer(({ headers }, response) => response.end(`${name} ${headers.host}`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("lb proxy balances over what is named, is seen by the other commands, and ends with its signal", async () => {
  const shell = new Shell();
  const to = `${await program("one")},${await program("two")}`;
  const flags = ["--strategy", "round-robin", "--upstream-host", "shop.example", "--health-endpoints", "on"];
  const { child, said, exited } = shell.spawn("proxy", "--to", to, "-p", "0", "--name", "edge", ...flags);
  const url = await saidUrl({ child, said });
  expect(said()).toMatch(/edge listens on http:\/\/127\.0\.0\.1:\d+, pid \d+/);
  const bodies = [];
  for (let n = 0; n < 4; n += 1) bodies.push((await httpGet(url)).body);
  expect(bodies.toSorted()).toEqual([..."oott"].map((one) => `${one === "o" ? "one" : "two"} shop.example`));
  expect((await httpGet(`${url}/health/ready`)).status).toBe(200);
  const { stdout } = await shell.run("status");
  expect(stdout).toMatch(/^endpoints +ready +http:\/\/127\.0\.0\.1:\d+ +1 +0 +2 +0$/m);
  expect((await shell.run("scale", "2")).stderr).toContain("no app");
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
});

test("an endpoint that is none is named by its flag", async () => {
  const { code, stderr } = await new Shell().run("proxy", "--to", "ftp://x", "-p", "0");
  expect([code, stderr]).toEqual([2, expect.stringContaining('"ftp://x"')]);
});

test("routes of a configuration without an app take all there is; the rest is nobody's, and so is the app", async () => {
  const shell = new Shell();
  const one = await program("one");
  const config = (to: string) =>
    `export default { port: 0, backends: { one: { endpoints: ["${one}"] } }, routes: [{ path: "/a/*", to: "${to}" }] };`;
  shell.write("lb.config.mjs", config("one"));
  const { child, said, exited } = shell.spawn("start");
  const url = await saidUrl({ child, said });
  expect((await httpGet(`${url}/a/x`)).body).toMatch(/^one 127\.0\.0\.1/);
  expect((await httpGet(`${url}/b`)).status).toBe(404);
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
  shell.write("lb.config.mjs", config("app"));
  const { code, stderr } = await shell.run("start");
  expect([code, stderr]).toEqual([2, expect.stringContaining('there is no such backend: there are "one"')]);
});
