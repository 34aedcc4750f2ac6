import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Argument, type Command } from "commander";
import { logicalDirectory } from "../../cluster/logical-directory.ts";
import { systemRandom } from "../../model/random.ts";
import { parseClusterOptions } from "../../options/cluster-settings.ts";
import { CliError } from "../cli-error.ts";
import { plannedOptions } from "../planned-options.ts";
import { addConfigurationFlags, addStartFlags } from "../start-flags.ts";
import { type PlanFlags, plan } from "../start-plan.ts";
import { caddy } from "./caddy.ts";
import { compose } from "./compose.ts";
import { dockerfile } from "./dockerfile.ts";
import { envoy } from "./envoy.ts";
import { haproxy } from "./haproxy.ts";
import { k8s } from "./k8s.ts";
import { nginx } from "./nginx.ts";
import { type Policies, policiesOf, serversOf } from "./policies.ts";
import { type Running, runningOf } from "./running.ts";
import { systemd } from "./systemd.ts";

/** Texts by the names of their files. */
type Files = Readonly<Record<string, string>>;

/** Each writes the front's policies in another program's language. */
const fronts: Readonly<Record<string, (policies: Policies) => Files>> = {
  haproxy: (policies) => ({ "haproxy.cfg": haproxy(policies) }),
  nginx: (policies) => ({ "nginx.conf": nginx(policies) }),
  caddy: (policies) => ({ Caddyfile: caddy(policies) }),
  envoy: (policies) => ({ "envoy.yaml": envoy(policies) }),
};

/** Each writes how another one keeps the instances running. */
const supervisors: Readonly<Record<string, (running: Running) => Files>> = {
  systemd,
  dockerfile: (running) => ({ Dockerfile: dockerfile(running) }),
  compose: (running) => ({ "compose.yaml": compose(running) }),
  k8s: (running) => ({ "k8s.yaml": k8s(running) }),
};

type ExportFlags = PlanFlags & Readonly<Record<string, unknown>> & { readonly out?: string };

const examples = `
Examples:
  lb export haproxy server.js -i 4 -p 80 > haproxy.cfg      in place of the front, over the instances' own ports
  lb export systemd server.js -i 4 --out units              in place of the primary: a unit of each instance
  lb export compose server.js -i 4 > compose.yaml           both, in containers
`;

/** The command that lets others do what the front does, or the primary. */
export function addExportCommand(program: Command): void {
  const names = [...Object.keys(fronts), ...Object.keys(supervisors)];
  const command = program
    .command("export")
    .addArgument(new Argument("<program>", "whose configuration is written").choices(names))
    .argument("[entry]", "the app, or a configuration file, as for lb start")
    .description("write what replaces the front, or the supervisor, with the same policies")
    .addHelpText("after", examples)
    .action(async (name: string, entry: string | undefined, flags: ExportFlags) => {
      const files = await filesFor(name, entry, flags);
      if (flags.out === undefined) process.stdout.write(together(files));
      else write(files, flags.out);
    })
    .optionsGroup("Export:")
    .option("--out <directory>", "files in there, which must not exist, instead of standard output");
  addConfigurationFlags(addStartFlags(command));
}

async function filesFor(name: string, entry: string | undefined, flags: ExportFlags): Promise<Files> {
  const planned = await plan(entry, flags);
  if (planned.kind === "front")
    throw new CliError("There are no instances here that another program could run, or balance over.", 2);
  if (planned.kind === "apps")
    throw new CliError("There are several apps: give one of them, lb export <program> <entry>.", 2);
  const options = plannedOptions(planned, flags);
  const surroundings = { env: process.env, parallelism: availableParallelism(), random: systemRandom };
  const settings = parseClusterOptions(options, surroundings);
  const front = fronts[name];
  if (front !== undefined) return front(policiesOf(settings, options, serversOf(settings)));
  const cwd = logicalDirectory(process.cwd(), process.env["PWD"]);
  return supervisors[name]!(runningOf({ planned, settings, options, cwd }));
}

/** Several as `systemctl cat` shows them. */
function together(files: Files): string {
  const entries = Object.entries(files);
  if (entries.length === 1) return entries[0]![1];
  return entries.map(([name, text]) => `# ${name}\n${text}`).join("\n");
}

function write(files: Files, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    try {
      writeFileSync(path, text, { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      throw new CliError(`${path} exists: move it, or give another directory.`, 1);
    }
    console.error(`wrote ${path}`);
  }
}
