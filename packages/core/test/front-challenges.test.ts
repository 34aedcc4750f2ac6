// While a certificate authority is expected on the port with TLS: it is answered, and everybody else gets what he always gets.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { ChallengeBook } from "../src/front/tls/challenge-book.ts";
import { ChallengeResponder } from "../src/front/tls/challenge-responder.ts";
import { httpGet } from "./support/http-get.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { beginHandshake, connectSecure, openssl } from "./support/tls-clients.ts";
import { plainRequest, startTlsFront } from "./support/tls-front.ts";

async function start(https: object = {}) {
  const challenges = new ChallengeBook();
  const { cert, key } = testCertificate(["DNS:a.example"]);
  const proof = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  challenges.set({ http: { "the-token": "the-token.proof" }, alpn: { "a.example": proof } });
  const started = await startTlsFront(https, { challenges });
  return { ...started, challenges };
}

/** What is answered to these bytes, and the end of it. */
function saying(port: number, bytes: Buffer | string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(bytes);
  return text(socket);
}

test("it gets the proof and nothing behind it, for names that are asked for alone, over TLS 1.2 and 1.3", async () => {
  const { httpsPort } = await start();
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const shown = await openssl(httpsPort, "-servername", "a.example", "-alpn", "acme-tls/1", version);
    expect(shown).toContain("ALPN protocol: acme-tls/1");
    expect(shown).not.toContain("HTTP/1.1");
  }
  const unknown = await openssl(httpsPort, "-servername", "x.b.example", "-alpn", "acme-tls/1");
  expect(unknown).not.toContain("BEGIN CERTIFICATE");
});

test("BAD-INPUTS 126 to 128: ClientHellos in pieces, connections that say nothing, requests in the place of a handshake", async () => {
  const { httpsPort, failures } = await start({ handshakeTimeoutMs: 300 });
  const { goOn } = await beginHandshake(httpsPort);
  const socket = await goOn();
  socket.write(plainRequest.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
  expect(await text(socket)).toContain('"encrypted":false');
  expect(await saying(httpsPort, plainRequest)).toMatch(/^HTTP\/1\.1 400 /);
  expect(failures).toContain("plain-http");
  const startedAt = performance.now();
  expect(await saying(httpsPort, Buffer.of(22, 3, 1, 2, 0, 1))).toBe("");
  expect(performance.now() - startedAt).toBeGreaterThan(250);
  // One that is too long is for the handshake to end.
  await saying(httpsPort, Buffer.concat([Buffer.of(22, 3, 1, 0x40, 0, 1, 0, 0x50, 0), Buffer.alloc(1_000)]));
  expect(failures.at(-1)).toBe("timeout");
});

test("no more of them are read at the same time than handshakes are made", async () => {
  const { httpsPort } = await start({ maxHandshakes: 2, handshakeTimeoutMs: 5_000 });
  const silent = [1, 2].map(() => {
    const socket = connect(httpsPort, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    return new Promise((done) => socket.once("connect", done));
  });
  await Promise.all(silent);
  // The front may not have them yet.
  await expect
    .poll(() =>
      connectSecure(httpsPort).then(
        () => "through",
        () => "closed",
      ),
    )
    .toBe("closed");
});

test("over HTTP it gets what is kept for its token; other tokens, methods and bodies are the app's", async () => {
  const book = new ChallengeBook();
  book.set({ http: { "the-token": "the-token.proof" }, alpn: {} });
  const { port } = await startTlsFront(
    {},
    { settings: { http: "redirect" }, responders: [new ChallengeResponder(book)] },
  );
  const ask = (path: string) => httpGet(`http://127.0.0.1:${port}${path}`);
  expect(await ask("/.well-known/acme-challenge/the-token")).toMatchObject({ status: 200, body: "the-token.proof" });
  expect((await ask("/.well-known/acme-challenge/another")).status).toBe(308);
  expect((await ask("/.well-known/acme-challenge/")).status).toBe(308);
  expect((await ask("/.well-known/acme-challenge/constructor")).status).toBe(308);
  book.set();
  expect((await ask("/.well-known/acme-challenge/the-token")).status).toBe(308);
});
