// BAD-INPUTS.md, the rows about forwarding and hop-by-hop fields: 91–96.
import { expect, test } from "vitest";
import { forwardedProto } from "./support/edge.ts";
import { frontOver } from "./support/front-over.ts";
import { answering, ok } from "./support/raw-backend.ts";
import { exchange } from "./support/raw-client.ts";
import type { TestFrontOptions } from "./support/test-front.ts";

const seenFor = async (fields: string, settings: Partial<TestFrontOptions["settings"]> = {}): Promise<string> => {
  const { port, backend } = await frontOver(answering(ok("fine")), { settings: { ...settings } });
  expect((await exchange(port, `GET / HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`)).status).toBe(200);
  return backend.heads[0]!.toLowerCase();
};

test("BAD-INPUTS 91, 92: forwarding fields of an untrusted peer are overwritten", async () => {
  const head = await seenFor(
    "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\nX-Real-IP: 6.6.6.6\r\n",
  );
  expect(head).not.toMatch(/6\.6\.6\.6|evil|gopher|x-forwarded-port: 1\r/);
  expect(head).toContain(`x-forwarded-proto: ${forwardedProto}\r\n`);
  for (const name of ["for", "proto", "host", "port"]) expect(head.split(`x-forwarded-${name}:`)).toHaveLength(2);
  expect(head).toContain("x-forwarded-for: 127.0.0.1\r\n");
});

test("BAD-INPUTS 91: those of a trusted peer are believed", async () => {
  const head = await seenFor("X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n", {
    trustsPeer: () => true,
  });
  expect(head).toContain("x-forwarded-for: 203.0.113.7, 127.0.0.1\r\n");
  expect(head).toContain("x-forwarded-proto: https\r\n");
});

test("BAD-INPUTS 93: Forwarded is dropped", async () => {
  expect(await seenFor("Forwarded: for=6.6.6.6\r\n")).not.toContain("forwarded: for");
});

test("BAD-INPUTS 94: nominating a forwarding field as hop-by-hop does not remove ours", async () => {
  const head = await seenFor("Connection: x-forwarded-for, x-secret\r\nX-Secret: 1\r\n");
  expect(head).toContain("x-forwarded-for: 127.0.0.1\r\n");
  expect(head).not.toContain("x-secret");
});

test("BAD-INPUTS 95: nominating Host or Content-Length → 400", async () => {
  const { port, backend } = await frontOver(answering(ok("never")));
  expect((await exchange(port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: host, content-length\r\n\r\n")).status).toBe(
    400,
  );
  expect(backend.heads).toHaveLength(0);
});

test("BAD-INPUTS 96: Proxy, Keep-Alive, Proxy-Authorization and Proxy-Connection are stripped", async () => {
  const head = await seenFor(
    "Proxy: http://evil\r\nKeep-Alive: 300\r\nProxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\n",
  );
  expect(head).not.toMatch(/proxy|keep-alive/);
});
