// Certificates of clients: BAD-INPUTS 132, what the app is told of them, and what it is not.
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ClientCertificateOptions, HttpsOptions } from "../src/options/https-options.ts";
import { RawClient } from "./support/raw-client.ts";
import { testAuthority } from "./support/test-authority.ts";
import { testCertificate } from "./support/test-certificate.ts";
import { connectSecure } from "./support/tls-clients.ts";
import { startTlsFront } from "./support/tls-front.ts";

const run = promisify(execFile);

/** A front whose app answers with the fields it got that are about certificates, and counts its requests. */
async function start(options: Partial<HttpsOptions> = {}, trusts = false) {
  let reached = 0;
  const app = createServer((request, response) => {
    reached++;
    const fields = Object.entries(request.headers).filter(([name]) => /client.cert/.test(name));
    response.end(JSON.stringify(Object.fromEntries(fields)));
  }).listen(0, "127.0.0.1");
  await once(app, "listening");
  onTestFinished(() => {
    app.closeAllConnections();
    app.close();
  });
  const backends = [(app.address() as AddressInfo).port];
  const front = await startTlsFront(options, { backends, settings: { trustsPeer: () => trusts } });
  return { ...front, reached: () => reached };
}

const forged =
  "Client-Cert: :AAAA:\r\nclient-cert-chain: :BBBB:\r\nX-Client-Cert-Subject: CN=root\r\nX_Client_Cert_Subject: CN=root\r\nclient_cert: x\r\n";

/** What the app was told on this connection. */
async function told(client: TLSSocket, fields = ""): Promise<Record<string, string>> {
  client.write(`GET / HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`);
  const [bytes] = await once(client, "data");
  return JSON.parse(String(bytes).split("\r\n\r\n")[1]!);
}

/** How it ends for a client that would ask for something. */
async function refusal(port: number, options: ConnectionOptions): Promise<string> {
  try {
    const client = await connectSecure(port, options);
    client.write("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    return await new Promise((resolve) => {
      client.on("data", (bytes) => resolve(String(bytes)));
      client.once("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
      client.once("close", () => resolve("closed"));
    });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!;
  }
}

const versions = ["TLSv1.2", "TLSv1.3"] as const;

describe.each(versions)("where one is required, %s", (maxVersion) => {
  test("BAD-INPUTS 132: who has none, a foreign one, an expired or a revoked one does not reach the app", async () => {
    const authority = testAuthority();
    const good = authority.client();
    const revoked = authority.client("/CN=revoked");
    const crl = authority.revoked(revoked);
    const names = [testCertificate(["DNS:a.example"]), testCertificate(["DNS:b.example"])];
    const { httpsPort, failures, reached } = await start({
      certificates: names,
      clientCertificates: { ca: authority.ca, crl },
    });
    for (const servername of ["a.example", "b.example"]) {
      const options = { maxVersion, servername };
      expect(await refusal(httpsPort, options)).toMatch(
        maxVersion === "TLSv1.3"
          ? "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"
          : "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
      );
      for (const other of [testAuthority().client(), authority.client("/CN=late", -1), revoked]) {
        expect(await refusal(httpsPort, { ...options, ...other })).toMatch(/^(closed|ECONNRESET)$/);
      }
    }
    expect(failures).toEqual(Array(8).fill("client-certificate"));
    expect(reached()).toBe(0);
    expect(await told(await connectSecure(httpsPort, { maxVersion, ...good }))).toHaveProperty("client-cert");
  });

  test("a resumed session does not get past it", async () => {
    const [authority, other] = [testAuthority(), testAuthority()];
    const [good, foreign] = [authority.client(), other.client()];
    const { httpsPort, store, reached } = await start({ clientCertificates: { ca: authority.ca } });
    // Its handshake may end, and with a session, before its certificate is looked at.
    const sessions: Buffer[] = [];
    const client = connectTls({ port: httpsPort, rejectUnauthorized: false, maxVersion, ...foreign });
    client.on("session", (session: Buffer) => sessions.push(session)).on("error", () => {});
    await new Promise((resolve) => client.once("close", resolve));
    for (const session of sessions) {
      expect(await refusal(httpsPort, { maxVersion, session })).toMatch(/^(closed|ECONNRESET)$/);
    }
    expect(reached()).toBe(0);
    const welcome = await connectSecure(httpsPort, { maxVersion, ...good });
    const first = await told(welcome);
    const session = welcome.getSession();
    const again = await connectSecure(httpsPort, { maxVersion, session });
    expect(again.isSessionReused()).toBe(true);
    expect(await told(again)).toEqual(first);
    copyFileSync(other.ca, authority.ca);
    store.reread();
    expect(await refusal(httpsPort, { maxVersion, session })).toMatch(/^ERR_SSL/);
    expect(await told(await connectSecure(httpsPort, { maxVersion, ...foreign }))).toHaveProperty("client-cert");
  });
});

describe.each(versions)("where one is welcome, %s", (maxVersion) => {
  test("the app knows those that are good, and those alone, also when the session is resumed", async () => {
    const authority = testAuthority();
    const { httpsPort } = await start({ clientCertificates: { ca: authority.ca, require: false } });
    for (const options of [{}, testAuthority().client(), authority.client("/CN=late", -1)]) {
      const client = await connectSecure(httpsPort, { maxVersion, ...options });
      expect(await told(client, forged)).toEqual({});
      const session = client.getSession();
      const again = await connectSecure(httpsPort, { maxVersion, ...options, session });
      expect(again.isSessionReused()).toBe(true);
      expect(await told(again, forged)).toEqual({});
    }
    const good = authority.client();
    const { raw, fingerprint256 } = new X509Certificate(good.cert);
    expect(await told(await connectSecure(httpsPort, { maxVersion, ...good }), forged)).toEqual({
      "client-cert": `:${raw.toString("base64")}:`,
      "x-client-cert-subject": "CN=client \\C3\\A9,O=Lb\\, Inc.,C=DE",
      "x-client-cert-fingerprint": fingerprint256.replaceAll(":", "").toLowerCase(),
    });
  });
});

test("curl with a certificate", async () => {
  const authority = testAuthority();
  const { httpsPort, certificates } = await start({ clientCertificates: { ca: [authority.ca] } });
  const { cert, key } = authority.client("/CN=curl").files;
  const args = ["-sS", "--cacert", certificates[0]!.cert, "--resolve", `a.example:${httpsPort}:127.0.0.1`];
  const url = `https://a.example:${httpsPort}/`;
  const { stdout } = await run("curl", [...args, "--cert", cert, "--key", key, url]);
  expect(JSON.parse(stdout)).toMatchObject({ "x-client-cert-subject": "CN=curl" });
  await expect(run("curl", [...args, url])).rejects.toThrow(/curl: /);
});

test("what clients say of certificates reaches the app from trusted proxies alone, and only where we ask for none", async () => {
  const plain = async (port: number) => {
    const client = await RawClient.ofTest(port);
    const { body } = await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${forged}\r\n`).response();
    return JSON.parse(body.toString());
  };
  const anybody = await start();
  expect(await plain(anybody.port)).toEqual({});
  expect(await told(await connectSecure(anybody.httpsPort), forged)).toEqual({});
  const proxied = await start({}, true);
  const believed = { "client-cert": ":AAAA:", "client-cert-chain": ":BBBB:", "x-client-cert-subject": "CN=root" };
  expect(await plain(proxied.port)).toEqual(believed);
  expect(await told(await connectSecure(proxied.httpsPort), forged)).toEqual(believed);
  const asking = await start({ clientCertificates: { ca: testAuthority().ca, require: false } }, true);
  expect(await told(await connectSecure(asking.httpsPort), forged)).toEqual({});
});

test("authorities that cannot be used are named", async () => {
  const bad = (clientCertificates: ClientCertificateOptions) => start({ clientCertificates });
  await expect(bad({ ca: "/nowhere.pem" })).rejects.toThrow(/"https\.clientCertificates\.ca": The file cannot be read/);
  const { key } = testCertificate(["DNS:a.example"]);
  await expect(bad({ ca: [key] })).rejects.toThrow(
    /"https\.clientCertificates\.ca\[0\]": Give the certificates of who/,
  );
});
