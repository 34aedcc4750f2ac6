import { createServer } from "node:http";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { identity } from "../src/index.ts";

afterEach(() => vi.unstubAllEnvs());

async function headerSent(options?: Parameters<typeof identity>[0]): Promise<Headers> {
  const say = identity(options);
  const server = createServer((request, response) => say(request, response, () => response.end("ok")));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  return (await fetch(`http://127.0.0.1:${port}/`)).headers;
}

function beInstance(id: number): void {
  const variables = { INSTANCE_ID: String(id), NODE_APP_INSTANCE: String(id - 1), PORT: "3001", HOST: "127.0.0.1" };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}

test("an instance names itself in each response", async () => {
  beInstance(3);
  expect((await headerSent()).get("x-instance-id")).toBe("3");
  expect((await headerSent({ header: "X-Served-By" })).get("x-served-by")).toBe("3");
});

test("any other process says nothing", async () => {
  vi.stubEnv("INSTANCE_ID", undefined);
  expect((await headerSent()).has("x-instance-id")).toBe(false);
});
