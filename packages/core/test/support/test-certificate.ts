import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface TestCertificate {
  /** Files; the certificate signs itself, so that it is its own root. */
  readonly cert: string;
  readonly key: string;
}

export interface TestCertificateOptions {
  readonly kind?: "ec" | "rsa";
  readonly passphrase?: string;
  /** Takes what removes the files; by default they are gone with the test. */
  readonly finished?: (end: () => void) => void;
}

/** Made by openssl for these names, e.g. `"DNS:a.example"`, and gone with the test. */
export function testCertificate(names: readonly string[], options: TestCertificateOptions = {}): TestCertificate {
  const { kind = "ec", passphrase, finished = onTestFinished } = options;
  const folder = mkdtempSync(join(tmpdir(), "lb-certificate-"));
  finished(() => rmSync(folder, { recursive: true, force: true }));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const keyOptions = kind === "ec" ? ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] : ["rsa:2048"];
  const secret = passphrase === undefined ? ["-nodes"] : ["-passout", `pass:${passphrase}`];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", ...keyOptions, ...secret, "-keyout", key, "-out", cert, "-days", "30"],
      ...["-subj", "/CN=lb test", "-addext", `subjectAltName=${names.join(",")}`],
    ],
    { stdio: "ignore" },
  );
  return { cert, key };
}
