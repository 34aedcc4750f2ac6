import type { Command } from "commander";
import type { ClusterOptions } from "../options/cluster-options.ts";
import { addBackgroundFlags } from "./daemon/background.ts";
import { list } from "./flag-values.ts";
import { frontOptions, runFront } from "./front-command.ts";
import { addStartFlags } from "./start-flags.ts";

/** Of the flags besides those of the front: how requests are spread. */
const balancingOptions = /^(strategy|affinity|health|queue|retry|retryBudget)(\.|$)/;

interface ProxyFlags extends Readonly<Record<string, unknown>> {
  readonly to: readonly string[];
  readonly upstreamHost?: string;
  readonly upstreamCa?: string;
  readonly sendProxy?: boolean;
}

const examples = `
Examples:
  lb proxy --to http://10.0.0.1:3000,http://10.0.0.2:3000
  lb proxy --to http://api.internal:3000 -p 80 --host 0.0.0.0     all addresses of a name, as they change
  lb proxy --to unix:/run/app.sock --https example.com            TLS in front of what has none
  lb proxy --to https://one.example,https://two.example --upstream-host one.example --affinity cookie
`;

export function addProxyCommand(program: Command): void {
  const command = program
    .command("proxy")
    .description("balance requests over programs that run already")
    .addHelpText("after", examples)
    .action((flags: ProxyFlags) => proxy(flags))
    .optionsGroup("Endpoints:")
    .requiredOption("--to <urls>", "where they are; several with commas", list)
    .option("--upstream-host <host>", "what they are asked for, in place of the client's Host")
    .option("--upstream-ca <file>", "who has signed the certificates of https: endpoints, if nobody else knows")
    .option("--send-proxy", "begin connections with a PROXY protocol header, version 2");
  addStartFlags(command, (option) => frontOptions.test(option) || balancingOptions.test(option));
  addBackgroundFlags(command).helpOption("-h, --help", "show this");
}

/** Balances until a signal ends it. */
async function proxy(flags: ProxyFlags): Promise<void> {
  const made = ({ strategy, affinity, health, queue, retryBudget, ...options }: ClusterOptions) => {
    const backend = {
      endpoints: flags.to,
      ...given({ strategy, affinity, health, queue, retryBudget, host: flags.upstreamHost }),
      ...(flags.upstreamCa !== undefined && { tls: { ca: flags.upstreamCa } }),
      proxyProtocol: flags.sendProxy ?? false,
    };
    return { ...options, backends: { endpoints: backend }, routes: [{ to: "endpoints" }] } as ClusterOptions;
  };
  await runFront({}, flags, { made });
}

function given(options: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
