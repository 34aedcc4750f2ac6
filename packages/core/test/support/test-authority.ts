import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Who signs the certificates of clients, by openssl; gone with the test. */
export function testAuthority() {
  const folder = mkdtempSync(join(tmpdir(), "lb-authority-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "ignore", cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=lb clients");
  writeFileSync(at("index"), "");
  writeFileSync(
    at("ca.conf"),
    `[ca]\ndefault_ca=own\n[own]\ndatabase=${at("index")}\ndefault_md=sha256\ndefault_crl_days=30\n`,
  );
  const ca = ["-config", "ca.conf", "-keyfile", "ca.key", "-cert", "ca.pem"];
  let clients = 0;
  return {
    ca: at("ca.pem"),
    /** For a client; `days`: for how long it is good. */
    client(subject = "/C=DE/O=Lb, Inc./CN=client é", days = 30) {
      const name = `client${++clients}`;
      openssl("req", "-new", ...newKey, "-utf8", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
      const signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", `${100 + clients}`, "-days", `${days}`];
      openssl("x509", "-req", "-in", `${name}.csr`, ...signed, "-out", `${name}.pem`);
      const [cert, key] = [at(`${name}.pem`), at(`${name}.key`)];
      return { files: { cert, key }, cert: readFileSync(cert), key: readFileSync(key) };
    },
    /** A list of those that are revoked. */
    revoked(...certificates: readonly { readonly files: { readonly cert: string } }[]): string {
      for (const { files } of certificates) openssl("ca", ...ca, "-revoke", files.cert);
      openssl("ca", ...ca, "-gencrl", "-out", "revoked.pem");
      return at("revoked.pem");
    },
  };
}
