// The port with TLS: BAD-INPUTS 120 to 134, and what clients nobody here wrote (openssl, curl) get of it.
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { httpGet } from "./support/http-get.ts";
import { RawClient } from "./support/raw-client.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { connectSecure, openssl, sending } from "./support/tls-clients.ts";
import { plainRequest, startTlsFront } from "./support/tls-front.ts";

const run = promisify(execFile);

describe("real clients", () => {
  test("curl and openssl, with TLS 1.2 and 1.3, get the app's answer; the app sees that it was https", async () => {
    const { httpsPort, certificates } = await startTlsFront();
    const { cert } = certificates[0]!;
    for (const version of ["--tls-max 1.2", "--tlsv1.3"]) {
      const args = ["-sS", ...version.split(" "), "--cacert", cert, "--resolve", `a.example:${httpsPort}:127.0.0.1`];
      const { stdout } = await run("curl", [...args, `https://a.example:${httpsPort}/`]);
      expect(JSON.parse(stdout)).toMatchObject({
        proto: "https",
        port: `${httpsPort}`,
        host: `a.example:${httpsPort}`,
      });
    }
    expect(await openssl(httpsPort, "-tls1_2")).toMatch(/Protocol {2}: TLSv1\.2[\s\S]*"proto":"https"/);
    expect(await openssl(httpsPort, "-tls1_3")).toMatch(/TLSv1\.3[\s\S]*"proto":"https"/);
  });

  test("uploads, kept-alive requests and WebSockets pass", async () => {
    const { httpsPort } = await startTlsFront();
    const options = { host: "127.0.0.1", port: httpsPort, servername: "a.example", rejectUnauthorized: false };
    const upload = httpsRequest({ ...options, method: "POST" });
    upload.end(Buffer.alloc(3_000_000, "u"));
    const [response] = (await once(upload, "response")) as [IncomingMessage];
    expect(JSON.parse(await text(response))).toMatchObject({ bytes: 3_000_000 });
    const socket = new WebSocket(`wss://127.0.0.1:${httpsPort}/`, { rejectUnauthorized: false });
    onTestFinished(() => socket.terminate());
    await once(socket, "open");
    socket.send("hello");
    expect(String((await once(socket, "message"))[0])).toBe("hello");
  });

  test("a session is resumed, with TLS 1.2 and 1.3", async () => {
    const { httpsPort } = await startTlsFront();
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const first = await connectSecure(httpsPort, { maxVersion });
      first.write(plainRequest);
      // With TLS 1.3 it comes behind the handshake, and not after this.
      await once(first, "data");
      expect(first.isSessionReused()).toBe(false);
      const again = await connectSecure(httpsPort, { maxVersion, session: first.getSession() });
      expect(again.isSessionReused()).toBe(true);
      again.write(plainRequest);
      expect(String((await once(again, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
    }
  });
});

describe("openssl s_client", () => {
  test.each(["-tls1_2", "-tls1_3"])("resumes a session: %s", async (version) => {
    const { httpsPort, certificates } = await startTlsFront();
    const session = `${certificates[0]!.key}.session`;
    const first = await openssl(httpsPort, version, "-servername", "a.example", "-sess_out", session);
    expect(first).toMatch(/^New, TLSv1/m);
    const again = await openssl(httpsPort, version, "-servername", "a.example", "-sess_in", session);
    expect(again).toMatch(/^Reused, TLSv1[\s\S]*"proto":"https"/m);
  });

  test("by SNI: a name's certificate, the first for other names and for none, nobody's where it is strict", async () => {
    const certificates = [testCertificate(["DNS:first.example"]), testCertificate(["DNS:a.example"])];
    const shown = async (port: number, ...options: string[]) => {
      const said = await openssl(port, ...options);
      const pem = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(said)?.[0];
      return pem === undefined ? "none" : new X509Certificate(pem).subjectAltName;
    };
    const { httpsPort } = await startTlsFront({ certificates });
    expect(await shown(httpsPort, "-servername", "a.example")).toBe("DNS:a.example");
    expect(await shown(httpsPort, "-servername", "other.example")).toBe("DNS:first.example");
    expect(await shown(httpsPort, "-noservername")).toBe("DNS:first.example");
    const strict = await startTlsFront({ certificates, strictSni: true });
    expect(await shown(strict.httpsPort, "-servername", "other.example")).toBe("none");
    expect(await shown(strict.httpsPort, "-servername", "a.example")).toBe("DNS:a.example");
    // The dot of the root is no part of a name, whoever sends it.
    expect(await shown(strict.httpsPort, "-servername", "A.example.")).toBe("DNS:a.example");
    for (const none of [".", "a.example..", "127.0.0.1", "bücher.example"]) {
      expect(await shown(httpsPort, "-servername", none), none).toBe("DNS:first.example");
      expect(await shown(strict.httpsPort, "-servername", none), none).toBe("none");
    }
  });

  test("by SNI: names of other alphabets, as they are written there", async () => {
    const certificates = [testCertificate(["DNS:first.example"]), testCertificate(["DNS:xn--bcher-kva.example"])];
    const { httpsPort } = await startTlsFront({ certificates, strictSni: true });
    const { host } = new URL(`https://Bücher.example:${httpsPort}/`);
    const { stdout } = await run("curl", ["-sSk", "--resolve", `${host}:127.0.0.1`, `https://${host}/`]);
    expect(JSON.parse(stdout)).toMatchObject({ host: `xn--bcher-kva.example:${httpsPort}`, proto: "https" });
  });
});

describe("certificates", () => {
  const namesOf = (socket: TLSSocket) => socket.getPeerCertificate().subjectaltname;

  test("BAD-INPUTS 123, 124: by name, by wildcard, and the first for whoever names none or another", async () => {
    const certificates = [
      testCertificate(["DNS:first.example"]),
      testCertificate(["DNS:a.example", "DNS:*.b.example"]),
    ];
    const { httpsPort } = await startTlsFront({ certificates });
    const got = async (servername: string) => namesOf(await connectSecure(httpsPort, { servername }));
    expect(await got("first.example")).toBe("DNS:first.example");
    expect(await got("A.EXAMPLE")).toBe("DNS:a.example, DNS:*.b.example");
    expect(await got("x.b.example")).toBe("DNS:a.example, DNS:*.b.example");
    for (const other of ["b.example", "x.y.b.example", "else.example", ""]) {
      expect(await got(other), other).toBe("DNS:first.example");
    }
  });

  test("BAD-INPUTS 124: where it is strict, other names are turned away in the handshake", async () => {
    const { httpsPort, failures } = await startTlsFront({ strictSni: true });
    await expect(connectSecure(httpsPort, { servername: "else.example" })).rejects.toThrow();
    expect(failures).toEqual(["refused"]);
    await connectSecure(httpsPort);
  });

  test("BAD-INPUTS 125: a request for a host with another certificate than the connection was opened for is misdirected", async () => {
    const certificates = [testCertificate(["DNS:a.example", "DNS:*.a.example"]), testCertificate(["DNS:b.example"])];
    const { httpsPort } = await startTlsFront({ certificates });
    const client = await connectSecure(httpsPort);
    const ask = async (host: string) => {
      client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      return String((await once(client, "data"))[0]).slice(9, 12);
    };
    expect([await ask("A.example:443"), await ask("x.a.example"), await ask("nobody.example")]).toEqual([
      "200",
      "200",
      "200",
    ]);
    expect(await ask("b.example")).toBe("421");
    const nameless = await connectSecure(httpsPort, { servername: "" });
    nameless.write("GET / HTTP/1.1\r\nHost: b.example\r\n\r\n");
    expect(String((await once(nameless, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
  });

  test("BAD-INPUTS 125: where it is strict, a request for a host that no certificate is for is misdirected", async () => {
    const { httpsPort } = await startTlsFront({ strictSni: true });
    for (const [host, status] of [
      ["a.example", "200"],
      ["a.example.", "200"],
      ["x.b.example", "200"],
      ["nobody.example", "421"],
      ["127.0.0.2", "421"],
    ] as const) {
      const client = await connectSecure(httpsPort);
      client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(String((await once(client, "data"))[0]).slice(9, 12), host).toBe(status);
    }
  });

  test("an ECDSA and an RSA one stand side by side for one name", async () => {
    const certificates = [testCertificate(["DNS:a.example"]), testCertificate(["DNS:a.example"], { kind: "rsa" })];
    const { httpsPort } = await startTlsFront({ certificates });
    const kindOf = async (sigalgs: string) =>
      (await connectSecure(httpsPort, { sigalgs })).getPeerCertificate().asn1Curve ?? "rsa";
    expect(await kindOf("ecdsa_secp256r1_sha256")).toBe("prime256v1");
    expect(await kindOf("rsa_pss_rsae_sha256")).toBe("rsa");
  });
});

test("FAULTS 60, 62: renewed ones are for new handshakes; connections stay, and sessions are resumed", async () => {
  const { httpsPort, certificates, store } = await startTlsFront();
  const { cert, key } = certificates[0]!;
  const before = await connectSecure(httpsPort);
  before.write(plainRequest);
  await once(before, "data");
  const next = testCertificate(["DNS:renewed.example"]);
  copyFileSync(next.cert, cert);
  expect(() => store.reread()).toThrow(/The key is not that/);
  expect((await connectSecure(httpsPort)).getPeerCertificate().subjectaltname).toMatch(/a\.example/);
  copyFileSync(next.key, key);
  store.reread();
  expect((await connectSecure(httpsPort)).getPeerCertificate().subjectaltname).toBe("DNS:renewed.example");
  before.write(plainRequest);
  expect(String((await once(before, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
  expect((await connectSecure(httpsPort, { session: before.getSession() })).isSessionReused()).toBe(true);
});

describe("what is no proper handshake", () => {
  test("BAD-INPUTS 120: plain HTTP on the port with TLS is told so", async () => {
    const { httpsPort, failures } = await startTlsFront();
    const client = await RawClient.ofTest(httpsPort);
    const { status } = await client.send(plainRequest).response();
    expect(status).toBe(400);
    await client.closed;
    expect(failures).toEqual(["plain-http"]);
    // It does not close, and is closed.
    await expect.poll(() => client.send("more").socket.destroyed).toBe(true);
  });

  test("BAD-INPUTS 121: TLS on the plain port is no request", async () => {
    const { port } = await startTlsFront();
    await expect(connectSecure(port)).rejects.toThrow();
  });

  test("BAD-INPUTS 122: TLS 1.0 and 1.1 and weak ciphers are refused; 1.2 too where it is modern", async () => {
    const { httpsPort } = await startTlsFront();
    for (const version of ["-tls1", "-tls1_1"]) {
      expect(await openssl(httpsPort, version, "-cipher", "ALL:@SECLEVEL=0"), version).toMatch(
        /alert protocol version/,
      );
    }
    for (const cipher of ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA"]) {
      expect(await openssl(httpsPort, "-tls1_2", "-cipher", cipher), cipher).toMatch(/alert handshake failure/);
    }
    const modern = await startTlsFront({ profile: "modern" });
    expect(await openssl(modern.httpsPort, "-tls1_2")).toMatch(/alert protocol version/);
    expect(await openssl(modern.httpsPort)).toMatch(/"proto":"https"/);
  });

  test.each([
    ["in one-byte pieces", byteByByte],
    ["over several records", inRecords],
  ])("BAD-INPUTS 126: a ClientHello %s", async (_, send) => {
    const { httpsPort } = await startTlsFront();
    const raw = connect(httpsPort, "127.0.0.1");
    raw.setNoDelay(true);
    await once(raw, "connect");
    let sent = 0;
    const slow = sending(raw, (bytes) => {
      if (sent++ === 0) send(raw, bytes);
      else raw.write(bytes);
    });
    const socket = connectTls({ socket: slow, servername: "a.example", rejectUnauthorized: false });
    onTestFinished(() => void socket.destroy());
    await once(socket, "secureConnect");
    socket.write(plainRequest);
    expect(String((await once(socket, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
  });

  test("BAD-INPUTS 127: who sends nothing, or half a ClientHello, is closed at the time-out", async () => {
    const { httpsPort, failures } = await startTlsFront({ handshakeTimeoutMs: 300 });
    const silent = await RawClient.ofTest(httpsPort);
    const half = await RawClient.ofTest(httpsPort);
    half.send(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await Promise.all([silent.closed, half.closed]);
    expect(failures).toEqual(["timeout", "timeout"]);
  });

  test("BAD-INPUTS 128: as many handshakes are under way as may be, and who left makes room", async () => {
    const { httpsPort, failures } = await startTlsFront({ maxHandshakes: 20 });
    const idle = await Promise.all(Array.from({ length: 60 }, () => RawClient.ofTest(httpsPort)));
    await expect.poll(() => failures.length).toBe(40);
    expect(new Set(failures)).toEqual(new Set(["crowded"]));
    for (const client of idle) client.destroy();
    await expect
      .poll(() =>
        connectSecure(httpsPort).then(
          () => "open",
          () => "closed",
        ),
      )
      .toBe("open");
  });

  test("BAD-INPUTS 128: one address begins no more than it may; proxies of ours may, and who waits", async () => {
    const handshakeRate = { perSecond: 2, burst: 3 };
    const { httpsPort, failures } = await startTlsFront({ handshakeRate });
    for (let n = 0; n < 3; n++) await connectSecure(httpsPort);
    await expect(connectSecure(httpsPort)).rejects.toThrow(/disconnected|ECONNRESET/);
    expect(failures).toEqual(["rate"]);
    const other = await connectSecure(httpsPort, { localAddress: "127.0.0.2" } as ConnectionOptions);
    other.destroy();
    await expect
      .poll(() =>
        connectSecure(httpsPort).then(
          () => "open",
          () => "closed",
        ),
      )
      .toBe("open");
    const proxied = await startTlsFront({ handshakeRate }, { settings: { trustsPeer: () => true } });
    for (let n = 0; n < 6; n++) await connectSecure(proxied.httpsPort);
  });

  test("BAD-INPUTS 129: renegotiation is refused", async () => {
    const { httpsPort } = await startTlsFront();
    const client = await connectSecure(httpsPort, { maxVersion: "TLSv1.2" });
    const answer = await new Promise((resolve) => {
      client.once("error", resolve);
      client.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    expect(String(answer)).toMatch(/no.renegotiation|ECONNRESET|closed/i);
  });

  test("BAD-INPUTS 131: protocols that we do not speak are an alert", async () => {
    const { httpsPort } = await startTlsFront();
    await expect(connectSecure(httpsPort, { ALPNProtocols: ["spdy/3"] })).rejects.toThrow(/no.application.protocol/i);
    expect((await connectSecure(httpsPort, { ALPNProtocols: ["h2", "http/1.1"] })).alpnProtocol).toBe("h2");
    expect((await connectSecure(httpsPort, { ALPNProtocols: ["http/1.1"] })).alpnProtocol).toBe("http/1.1");
  });

  test("BAD-INPUTS 134: a body that ends without close_notify counts as cut", async () => {
    const { httpsPort, inFlight, endpoints } = await startTlsFront();
    const client = await connectSecure(httpsPort);
    client.write("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000\r\n\r\nhalf");
    await expect.poll(() => inFlight(endpoints[0]!)).toBe(1);
    client.destroy();
    await expect.poll(() => inFlight(endpoints[0]!)).toBe(0);
  });
});

describe("the port without TLS", () => {
  const redirected = async (port: number, head: string) => await (await RawClient.ofTest(port)).send(head).response();

  test("sends everybody to the one with TLS, if that is for the host which they name", async () => {
    const { port, httpsPort } = await startTlsFront({}, { settings: { http: "redirect" } });
    const of = (host: string, target = "/a?b=c") => redirected(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const { status, headers, head } = await of("A.example:8080");
    expect(head).toMatch(/^HTTP\/1\.1 308 Permanent Redirect\r\n/);
    expect([status, headers["location"]]).toEqual([308, `https://a.example:${httpsPort}/a?b=c`]);
    expect((await of("x.b.example", "http://x.b.example/p")).headers["location"]).toBe(
      `https://x.b.example:${httpsPort}/p`,
    );
    expect((await of("evil.example")).status).toBe(421);
    expect((await of("127.0.0.1")).headers["location"]).toBe(`https://127.0.0.1:${httpsPort}/a?b=c`);
  });

  test("follows it with curl, method and body kept", async () => {
    const { port, certificates, httpsPort } = await startTlsFront({}, { settings: { http: "redirect" } });
    const resolve = [port, httpsPort].flatMap((one) => ["--resolve", `a.example:${one}:127.0.0.1`]);
    const args = [
      "-sSL",
      "--cacert",
      certificates[0]!.cert,
      ...resolve,
      "--data",
      "12345",
      `http://a.example:${port}/`,
    ];
    const { stdout } = await run("curl", args);
    expect(JSON.parse(stdout)).toMatchObject({ proto: "https", bytes: 5 });
  });
});

function byteByByte(raw: Socket, bytes: Buffer): void {
  for (const byte of bytes) raw.write(Buffer.from([byte]));
}

/** One record's message in many of a hundred bytes each. */
function inRecords(raw: Socket, record: Buffer): void {
  for (let at = 5; at < record.length; at += 100) {
    const piece = record.subarray(at, at + 100);
    raw.write(Buffer.from([...record.subarray(0, 3), 0, piece.length]));
    raw.write(piece);
  }
}

test("plain requests are served as before", async () => {
  const { port } = await startTlsFront();
  const { body } = await httpGet(`http://127.0.0.1:${port}/`);
  expect(JSON.parse(body)).toMatchObject({ proto: "http" });
});
