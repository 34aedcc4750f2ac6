// Sessions that are resumed by tickets: BAD-INPUTS 130, FAULTS 62, with openssl and with Node as clients.
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { testCertificate } from "./support/test-certificate.ts";
import { connectSecure, openssl } from "./support/tls-clients.ts";
import { startTlsFront } from "./support/tls-front.ts";

const versions = ["TLSv1.2", "TLSv1.3"] as const;

/** What a client got to resume its session by: with TLS 1.3 it comes behind the handshake. */
async function sessionOf(client: TLSSocket, host = "a.example"): Promise<Buffer> {
  client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await once(client, "data");
  return client.getSession()!;
}

async function resumes(port: number, session: Buffer, options: ConnectionOptions): Promise<boolean> {
  const client = await connectSecure(port, { session, ...options });
  const reused = client.isSessionReused();
  client.write(`GET / HTTP/1.1\r\nHost: ${options.servername || "a.example"}\r\n\r\n`);
  expect(String((await once(client, "data"))[0])).toMatch(/^HTTP\/1\.1 200/);
  client.destroy();
  return reused;
}

test.each(["-tls1_2", "-tls1_3"])(
  "openssl resumes a session, %s, across renewals of certificate and key",
  async (version) => {
    const { httpsPort, store, certificates } = await startTlsFront();
    const folder = mkdtempSync(join(tmpdir(), "lb-session-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const first = join(folder, "session");
    const named = [version, "-servername", "a.example"];
    expect(await openssl(httpsPort, ...named, "-sess_out", first)).toMatch(/New, TLSv1\.[23]/);
    expect(await openssl(httpsPort, ...named, "-sess_in", first)).toMatch(/Reused, TLSv1\.[23]/);
    const renewed = testCertificate(["DNS:a.example"]);
    copyFileSync(renewed.cert, certificates[0]!.cert);
    copyFileSync(renewed.key, certificates[0]!.key);
    store.reread();
    expect(await openssl(httpsPort, ...named, "-sess_in", first)).toMatch(/Reused, TLSv1\.[23]/);
    store.renewTicketKey();
    expect(await openssl(httpsPort, ...named, "-sess_in", first)).toMatch(/Reused, TLSv1\.[23]/);
    store.renewTicketKey();
    expect(await openssl(httpsPort, ...named, "-sess_in", first)).toMatch(/New, TLSv1\.[23]/);
  },
);

test.each(versions)(
  "FAULTS 62: the last key's tickets are good, those before are not, whichever name was asked for: %s",
  async (maxVersion) => {
    const certificates = [testCertificate(["DNS:a.example"]), testCertificate(["DNS:b.example"])];
    const { httpsPort, store } = await startTlsFront({ certificates });
    for (const servername of ["a.example", "b.example", ""]) {
      const options = { servername, maxVersion };
      const session = await sessionOf(await connectSecure(httpsPort, options), servername || undefined);
      expect(await resumes(httpsPort, session, options), servername).toBe(true);
      store.renewTicketKey();
      expect(await resumes(httpsPort, session, options), servername).toBe(true);
      store.renewTicketKey();
      expect(await resumes(httpsPort, session, options), servername).toBe(false);
    }
  },
);

test.each(versions)("who resumes by the last key gets a ticket by the new one: %s", async (maxVersion) => {
  const { httpsPort, store } = await startTlsFront();
  const options = { maxVersion };
  const first = await sessionOf(await connectSecure(httpsPort, options));
  store.renewTicketKey();
  const again = await connectSecure(httpsPort, { session: first, ...options });
  expect(again.isSessionReused()).toBe(true);
  const second = await sessionOf(again);
  store.renewTicketKey();
  expect(await resumes(httpsPort, first, options)).toBe(false);
  expect(await resumes(httpsPort, second, options)).toBe(true);
});

test.each(versions)(
  "BAD-INPUTS 130: a foreign, a forged and an expired ticket are a whole handshake: %s",
  async (maxVersion) => {
    const options = { maxVersion };
    const { httpsPort, store } = await startTlsFront();
    const foreign = await startTlsFront();
    const session = await sessionOf(await connectSecure(foreign.httpsPort, options));
    expect(await resumes(httpsPort, session, options)).toBe(false);
    const own = await sessionOf(await connectSecure(httpsPort, options));
    const key = Buffer.from(store.material.ticketKeys[0], "base64");
    const ticket = own.indexOf(key.subarray(0, 16));
    expect(ticket).toBeGreaterThan(0);
    // In its name, its vector, what it holds.
    for (const at of [0, 20, 60]) {
      const forged = Buffer.from(own);
      forged[ticket + at]! ^= 1;
      expect(await resumes(httpsPort, forged, options), `${at}`).toBe(false);
    }
    expect(await resumes(httpsPort, own, options)).toBe(true);
    // OpenSSL counts whole seconds.
    const { httpsPort: forgetful } = await startTlsFront({ sessionMs: 2_000 });
    const short = await sessionOf(await connectSecure(forgetful, options));
    await expect.poll(() => resumes(forgetful, short, options), { interval: 300 }).toBe(false);
  },
);
