import { type Command, Option } from "commander";
import { ask } from "../control/control-client.ts";
import type { AcmeStatus, CertificateStatus, HttpsStatus } from "../control/status.ts";
import { CliError } from "./cli-error.ts";
import { statusOf } from "./look-commands.ts";
import { say } from "./say.ts";
import { table } from "./status-table.ts";
import { about, findTarget, type Target } from "./targets.ts";

/** What is about the certificates of the port with TLS. */
export function addCertificateCommands(program: Command): void {
  about(program.command("certs"))
    .argument("[action]", '"reload" reads them anew first, and tries again what has failed')
    .description("show the certificates of the port with TLS, or read them anew")
    .addOption(new Option("--json", "as JSON"))
    .action(async (action: string | undefined, flags: Target & { readonly json?: boolean }) => {
      if (action !== undefined && action !== "reload")
        throw new CliError(`There is no "${action}": lb certs reload.`, 2);
      const target = await findTarget(flags);
      if (action === "reload") await ask({ path: target.path, command: "certs" });
      const { https, name } = await statusOf(target);
      if (https === null) throw new CliError(`${name} has no port with TLS: the option "https" opens one.`, 1);
      if (flags.json === true) say(JSON.stringify(https));
      else for (const line of shown(https, Date.now())) say(line);
    });
}

/** The certificates, then what is wrong with them, then what becomes of the one that an authority is asked for. */
export function shown(
  { certificates, acme }: Pick<HttpsStatus, "certificates" | "acme">,
  now: number,
): readonly string[] {
  const rows = certificates.map((one) => [
    one.names.join(", "),
    one.issuer.replace(/^.*\bCN=([^,]+).*$/, "$1"),
    sources[one.source],
    one.expiresAt.slice(0, 10),
    String(Math.floor((Date.parse(one.expiresAt) - now) / dayMs)),
    one.source === "acme" && acme?.state === "kept" ? acme.renewsAt!.slice(0, 10) : "-",
  ]);
  const titles = ["names", "issuer", "from", "expires", "days left", "renewed"];
  return [
    ...table(titles, rows, [0, 1, 2, 3, 5]),
    ...certificates.flatMap((one) => problems(one, now).map((problem) => `${one.names[0]}: ${problem}`)),
    ...(acme === null || acme.state === "kept" ? [] : [awaited(acme)]),
  ];
}

const dayMs = 86_400_000;

const sources: Readonly<Record<CertificateStatus["source"], string>> = {
  options: "the options",
  acme: "an authority (ACME)",
  localhost: "this machine",
};

function problems({ expiresAt, problem }: CertificateStatus, now: number): readonly string[] {
  return [...(Date.parse(expiresAt) <= now ? ["it has expired"] : []), ...(problem === null ? [] : [problem])];
}

function awaited({ domains, directory, state, renewsAt, attempts, error }: AcmeStatus): string {
  const what = `${domains.join(", ")}: ${new URL(directory).host}`;
  if (state === "ordering") return `${what} is being asked for a certificate`;
  const times = attempts === 1 ? "" : ` ${attempts} times`;
  return `${what} has given no certificate${times}, and is asked again at ${renewsAt}: ${error}`;
}
