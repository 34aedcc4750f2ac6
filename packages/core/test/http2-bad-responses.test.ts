// What an app may send and Node's own HTTP/2 would not have: it passes, and the connection with its other streams lives.
import { expect, test } from "vitest";
import { ask, openSession, startHttp2Front } from "./support/http2-front.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n";
const repeated = "Content-Type: a/a\r\nContent-Type: b/b\r\nETag: 1\r\nETag: 2\r\nLocation: /a\r\nLocation: /b\r\n";
const listed = "Content-Language: de\r\nContent-Language: fr\r\nContent-Encoding: x-a\r\nContent-Encoding: x-b\r\n";

test.each([
  ["fields that may be there once, in a head", `${ok}${repeated}${listed}\r\nok`],
  ["fields that may be there once, in early hints", `HTTP/1.1 103 Early Hints\r\n${repeated}\r\n${ok}\r\nok`],
  ["fields that may be there once, in trailers", `${chunked}ETag: 1\r\nETag: 2\r\nDNT: 1\r\nDNT: 2\r\n\r\n`],
  ["fields of a connection", `${ok}HTTP2-Settings: a\r\nTE: gzip\r\nKeep-Alive: x\r\nUpgrade: h2c\r\n\r\nok`],
  ["names of objects' own", `${ok}__proto__: a\r\nconstructor: b\r\n\r\nok`],
])("%s", async (_name, raw) => {
  const { httpsPort } = await startHttp2Front((request, response) => {
    if (request.url === "/bad") request.socket.end(raw);
    else response.end("fine");
  });
  const session = await openSession(httpsPort);
  const { status, rawHeaders, body } = await ask(session, { ":path": "/bad" });
  expect({ status, body }).toEqual({ status: 200, body: "ok" });
  if (raw.startsWith(`${ok}${repeated}`)) {
    // As over HTTP/1.1: which of them counts is for the client to say.
    const fields = raw
      .slice(ok.length, -"\r\n\r\nok".length)
      .split("\r\n")
      .map((line) => line.toLowerCase());
    expect(rawFields(rawHeaders)).toEqual(expect.arrayContaining(fields));
  }
  expect(await ask(session, { ":path": "/bad", ":method": "HEAD" })).toMatchObject({ status: 200, body: "" });
  expect(await ask(session)).toMatchObject({ status: 200, body: "fine" });
});

function rawFields(list: readonly string[]): string[] {
  return list.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${list[at + 1]}`.toLowerCase()] : []));
}
