import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { httpGet } from "../../test/support/http-get.ts";
import { requestViewOf } from "./node-request-view.ts";

it("shows a request of node:http to the balancer", async () => {
  const server = createServer((request, response) => {
    const view = requestViewOf(request);
    const { method, target, clientAddress } = view;
    const headers = ["x-key", "x-none"].map((name) => view.header?.(name));
    response.end(JSON.stringify({ method, target, clientAddress, headers }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  const { body } = await httpGet(`http://127.0.0.1:${port}/a?b=%20`, { method: "POST", headers: { "X-Key": "7" } });
  expect(JSON.parse(body)).toEqual({
    method: "POST",
    target: "/a?b=%20",
    clientAddress: "127.0.0.1",
    headers: ["7", null],
  });
});

it("knows an IPv4 client of a dual-stack listener by its IPv4 address, and bears one that is gone", () => {
  const from = (remoteAddress?: string) => requestViewOf({ socket: { remoteAddress } } as IncomingMessage);
  expect(from("::ffff:10.1.2.3").clientAddress).toBe("10.1.2.3");
  expect(from("2001:DB8::1").clientAddress).toBe("2001:db8::1");
  expect(from().clientAddress).toBe("");
});
