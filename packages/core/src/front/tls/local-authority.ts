import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { linkSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LbError } from "../../model/errors.ts";
import { makeCertificate } from "../../x509/certificate.ts";
import * as extension from "../../x509/extensions.ts";
import type { SubjectName } from "../../x509/names.ts";

/** Whom the certificate for localhost is trusted by. */
export function localRoot(directory: string): string {
  return join(directory, "root.pem");
}

const dayMs = 86_400_000;
const authorityMs = 3_650 * dayMs;

/** Browsers take none that is good for longer than 398 days; a short one does no harm, since it is made anew by itself. */
const certificateMs = 90 * dayMs;

/** `::1` */
const loopback6 = Buffer.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

const names: readonly SubjectName[] = [
  { kind: "dns", name: "localhost" },
  { kind: "ip", bytes: Buffer.of(127, 0, 0, 1) },
  { kind: "ip", bytes: loopback6 },
];

/** Whom it may sign for: an authority that many programs trust, and whose key lies on a disk, is to be of no use elsewhere. */
const permitted: readonly SubjectName[] = [
  { kind: "dns", name: "localhost" },
  { kind: "ip", bytes: Buffer.of(127, 0, 0, 0, 255, 0, 0, 0) },
  { kind: "ip", bytes: Buffer.concat([loopback6, Buffer.alloc(16, 255)]) },
];

/**
 * The path of the certificate for this machine, by an authority of this user's own, with its key in the same file, so that the
 * two are replaced together. It is the one that is there, or another one if there is none or a third of its time is left; and so
 * its authority.
 *
 * @throws LbError `LB_CERTIFICATE`
 */
export function localCertificate(directory: string, now: number): string {
  const [root, certificate] = [localRoot(directory), join(directory, "localhost.pem")];
  try {
    openDirectory(directory);
    const authority = openAuthority(join(directory, "authority.pem"), now);
    if (read(root)?.raw.equals(authority.certificate.raw) !== true)
      write(root, authority.certificate.toString(), 0o644);
    const found = read(certificate);
    const isGood =
      found?.verify(authority.certificate.publicKey) === true &&
      Date.parse(found.validTo) - now > certificateMs / 3 &&
      Date.parse(found.validFrom) <= now;
    if (!isGood) write(certificate, makeLeaf(authority, now), 0o600);
    return certificate;
  } catch (cause) {
    const why = `No certificate for localhost can be kept in ${directory}: ${(cause as Error).message}.`;
    throw new LbError("LB_CERTIFICATE", `Option "https.localhost": ${why}`, { cause });
  }
}

interface Authority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** Of several processes that find none, one makes it. */
function openAuthority(path: string, now: number): Authority {
  const found = read(path);
  if (found !== undefined && Date.parse(found.validTo) - now > 2 * certificateMs) {
    return { certificate: found, key: createPrivateKey(readFileSync(path)) };
  }
  if (found !== undefined) rmSync(path, { force: true });
  const draft = write(`${path}.new`, makeAuthority(now), 0o600, randomBytes(6).toString("hex"));
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return { certificate: new X509Certificate(readFileSync(path)), key: createPrivateKey(readFileSync(path)) };
}

function makeAuthority(now: number): string {
  const key = newKey();
  const certificate = makeCertificate({
    subject: `lb on this machine ${randomBytes(3).toString("hex")}`,
    key,
    notBefore: now - dayMs,
    notAfter: now + authorityMs,
    extensions: [
      extension.basicConstraints(true),
      extension.keyUsage(true),
      extension.nameConstraints(permitted),
      extension.subjectKeyIdentifier(key),
    ],
  });
  return certificate + pem(key);
}

function makeLeaf({ certificate, key: authorityKey }: Authority, now: number): string {
  const key = newKey();
  const leaf = makeCertificate({
    subject: "localhost",
    key,
    issuer: { subject: certificate.subject.replace(/^CN=/, ""), key: authorityKey },
    notBefore: now - dayMs,
    notAfter: now + certificateMs,
    extensions: [
      extension.basicConstraints(false),
      extension.keyUsage(false),
      extension.forServers(),
      extension.subjectAltName(names),
      extension.subjectKeyIdentifier(key),
      extension.authorityKey(authorityKey),
    ],
  });
  return leaf + pem(key);
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

/** What is no certificate is as good as none. */
function read(path: string): X509Certificate | undefined {
  try {
    return new X509Certificate(readFileSync(path));
  } catch {
    return undefined;
  }
}

/** In place of what was there, in one step; or beside it, where `suffix` says so. Returns the path. */
function write(path: string, text: string, mode: number, suffix?: string): string {
  const draft = `${path}.${suffix ?? randomBytes(6).toString("hex")}`;
  writeFileSync(draft, text, { mode, flag: "wx" });
  if (suffix !== undefined) return draft;
  renameSync(draft, path);
  return path;
}

/** Nobody else's. */
function openDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { mode, uid } = lstatSync(path);
  const own = process.getuid?.() ?? uid;
  if (uid !== own) throw new Error(`it belongs to the user with the id ${uid}, not to this one (${own})`);
  if ((mode & 0o022) !== 0) throw new Error(`others may write in it (mode ${(mode & 0o777).toString(8)})`);
}
