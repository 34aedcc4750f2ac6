// BAD-INPUTS.md, the rows about what follows what on a connection, and who is asked: 34, 35, 36, 42, 50.
import { expect, test } from "vitest";
import { frontOver, upgrade } from "./support/front-over.ts";
import { answering, ok } from "./support/raw-backend.ts";
import { exchange, RawClient } from "./support/raw-client.ts";

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

test("BAD-INPUTS 34: a response sent before the body was read: a short rest is read, and the connection goes on", async () => {
  const { port } = await frontOver(answering(ok("early")));
  const raw = await RawClient.ofTest(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  const response = await raw.response();
  expect(response.body.toString()).toBe("early");
  expect(response.headers["connection"]).toBeUndefined();
  // What the endpoint sees behind its early answer is body; only then comes the next request, on another connection.
  raw.send("x".repeat(1_000));
  expect((await raw.send(get).response()).body.toString()).toBe("early");
});

test("BAD-INPUTS 34: a long rest is not waited for: Connection: close", async () => {
  const { port } = await frontOver(answering(ok("early")));
  const raw = await RawClient.ofTest(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nabc");
  expect((await raw.response()).headers["connection"]).toBe("close");
  await raw.closed;
});

test("BAD-INPUTS 34: a rest of unknown length is read up to a bound", async () => {
  const { port } = await frontOver(answering(ok("early")));
  const raw = await RawClient.ofTest(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  await raw.response();
  const chunk = `1000\r\n${"x".repeat(4_096)}\r\n`;
  const pump = () => {
    while (!raw.ended && raw.socket.write(chunk));
  };
  raw.socket.on("drain", pump);
  pump();
  await raw.closed;
});

test("BAD-INPUTS 34: a rest that turns out malformed ends the connection, and nobody is answered twice", async () => {
  const { port } = await frontOver(answering(ok("early")));
  const raw = await RawClient.ofTest(port);
  raw.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  expect((await raw.response()).body.toString()).toBe("early");
  raw.send("no chunk\r\n");
  await raw.closed;
  expect(raw.pending.toString()).toBe("");
});

test("BAD-INPUTS 35: a client that pipelines and never reads is not read from for ever", async () => {
  const { port, backend } = await frontOver(answering(ok("x".repeat(10_000))));
  const raw = await RawClient.ofTest(port);
  raw.socket.pause();
  const batch = get.repeat(200);
  let sent = 0;
  const pump = () => {
    while (sent < 100_000 && raw.socket.write(batch)) sent += 200;
  };
  raw.socket.on("drain", pump);
  pump();
  let before = -1;
  await expect
    .poll(
      () => {
        const still = backend.heads.length === before && before > 0;
        before = backend.heads.length;
        return still;
      },
      { interval: 200, timeout: 10_000 },
    )
    .toBe(true);
  expect(backend.heads.length).toBeLessThan(5_000);
});

test("BAD-INPUTS 36: bytes behind a request with Connection: close are ignored", async () => {
  const { port, backend } = await frontOver(answering(ok("one")));
  const raw = await RawClient.ofTest(port);
  raw.send(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${get}${get}`);
  expect((await raw.response()).headers["connection"]).toBe("close");
  await raw.closed;
  expect(raw.pending).toHaveLength(0);
  expect(backend.heads).toHaveLength(1);
});

test("BAD-INPUTS 42: a list of hosts is matched exactly, never by prefix or suffix → 421", async () => {
  const { port, backend } = await frontOver(answering(ok("fine")), {
    settings: { allowedHosts: new Set(["app.example", "[::1]"]) },
  });
  const ask = async (host: string) => (await exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status;
  for (const host of [
    "app.example.evil",
    "evil-app.example",
    "xapp.example",
    "example",
    "app.example.",
    "[::1",
    "[::11]",
  ]) {
    expect(await ask(host), host).toBeOneOf([400, 421]);
  }
  expect(await ask("app.example.evil")).toBe(421);
  expect(backend.heads).toHaveLength(0);
  for (const host of ["app.example", "APP.Example:8080", "[::1]:3000", "[::1]"])
    expect(await ask(host), host).toBe(200);
});

test("BAD-INPUTS 50: malformed Host or Origin are refused by the checks, which do not throw", async () => {
  const { port, backend } = await frontOver(answering(ok("fine")), {
    settings: { allowedHosts: new Set(["x"]), allowedOrigins: new Set(["https://app.example"]) },
  });
  for (const host of ["[", "]", "x:", "x:99999999", "x:abc", "%", "[::1]x", ":80", "\xff"]) {
    expect((await exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status, host).toBeOneOf([200, 400, 421]);
  }
  const before = backend.heads.length;
  for (const origin of [
    "http://[",
    "https://%zz",
    "https://app.example:x",
    "\xff",
    "https://app.example https://app.example",
  ]) {
    expect((await exchange(port, upgrade(`Origin: ${origin}\r\n`))).status, origin).toBe(403);
  }
  expect(backend.heads).toHaveLength(before);
});
