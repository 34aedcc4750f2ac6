import { availableParallelism } from "node:os";
import { styleText } from "node:util";
import type { Command } from "commander";
import { listedName } from "../../control/control-directory.ts";
import { counted } from "../../log/words.ts";
import { systemWallClock } from "../../model/clock.ts";
import { systemRandom } from "../../model/random.ts";
import type { ClusterOptions } from "../../options/cluster-options.ts";
import { type ClusterSettings, parseClusterOptions } from "../../options/cluster-settings.ts";
import { readCertificate } from "../../tls/certificate.ts";
import { readConfigFile } from "../config-file.ts";
import { plannedOptions } from "../planned-options.ts";
import { isPm2Config } from "../pm2-config.ts";
import { say } from "../say.ts";
import { addConfigurationFlags, addStartFlags } from "../start-flags.ts";
import { type PlanFlags, plan, type StartPlan } from "../start-plan.ts";
import { runningClusters } from "../targets.ts";
import { type Finding, worst } from "./finding.ts";
import { judgeLimits } from "./judge-limits.ts";
import { type CertificateLook, judgeCertificates, judgePlaces } from "./judge-places.ts";
import { readMachine } from "./read-machine.ts";
import { lookAtRedis } from "./redis-look.ts";
import { wantedOf } from "./wanted.ts";

type DoctorFlags = PlanFlags & Readonly<Record<string, unknown>> & { readonly json?: boolean };

const examples = `
Examples:
  lb doctor                       the machine, and the configuration in this directory
  lb doctor app.js -p 80 -i 8     what that start would need
`;

/** Exit codes by the worst that was found. */
const exitCodes = { ok: 0, hint: 0, warning: 5, error: 1 } as const;

export function addDoctorCommand(program: Command): void {
  const command = program
    .command("doctor")
    .argument("[entry]", "as for lb start, and so are its flags")
    .description("look for what will be in the way: limits, ports, memory, certificates, names; exits with 1 or 5")
    .addHelpText("after", examples)
    .action((entry: string | undefined, flags: DoctorFlags) => doctor(entry, flags))
    .option("--json", "as JSON");
  addConfigurationFlags(addStartFlags(command));
}

async function doctor(entry: string | undefined, flags: DoctorFlags): Promise<void> {
  const settings = await wantedSettings(entry, flags);
  const wanted = wantedOf(settings);
  const pids = (await runningClusters().catch(() => []))
    .filter((one) => one.name === listedName(wanted.name))
    .map(({ pid }) => pid);
  const machine = await readMachine(wanted, pids);
  const findings = [
    ...judgePlaces(machine, wanted),
    ...judgeLimits(machine, wanted),
    ...judgeCertificates(certificates(settings), systemWallClock()),
    ...(await lookAtRedis(process.env["REDIS_URL"])),
  ];
  const level = worst(findings);
  if (flags.json === true) say(JSON.stringify({ level, findings }));
  else for (const line of report(findings)) say(line);
  process.exitCode = exitCodes[level];
}

/** An app of which nothing is said. */
const nothing: StartPlan = { kind: "app", entry: "app", wanted: "app", args: [], config: {}, configFile: undefined };

/** @throws CliError, OptionError: the configuration cannot be used */
async function wantedSettings(entry: string | undefined, flags: DoctorFlags): Promise<ClusterSettings> {
  const asked = entry !== undefined || flags.config !== undefined || flags.exec !== undefined;
  const planned =
    asked || (await readConfigFile(undefined)) !== undefined ? await planOrOptions(entry, flags) : nothing;
  const options = plannedOptions(planned, flags);
  return parseClusterOptions(options, {
    env: process.env,
    parallelism: availableParallelism(),
    random: systemRandom,
    alone: planned.kind === "front" || planned.kind === "apps",
  });
}

/** A configuration without an entry is of a program that calls `cluster()`, perhaps. */
async function planOrOptions(entry: string | undefined, flags: DoctorFlags): Promise<StartPlan> {
  try {
    return await plan(entry, flags);
  } catch (error) {
    const file = entry === undefined && flags.exec === undefined ? await readConfigFile(flags.config) : undefined;
    if (file === undefined || Object.hasOwn(file.content, "entry") || isPm2Config(file.content)) throw error;
    return { ...nothing, config: file.content as ClusterOptions };
  }
}

function certificates({ front: { https } }: ClusterSettings): readonly CertificateLook[] {
  if (https === false) return [];
  return https.certificates.map((given, at) => {
    const where = given.cert.includes("-----BEGIN") ? `https.certificates[${at}]` : given.cert;
    try {
      const { names, validFrom, expiresAt, problem } = readCertificate(given, `https.certificates[${at}]`);
      return { where, names, validFrom, expiresAt, problem };
    } catch (error) {
      return { where, error: (error as Error).message };
    }
  });
}

const colours = { ok: "green", hint: "cyan", warning: "yellow", error: "red" } as const;

function report(findings: readonly Finding[]): readonly string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const indent = " ".repeat(9 + width + 2);
  const lines = findings.flatMap(({ check, level, what, meaning, remedy }) => [
    `${styleText(colours[level], level.padEnd(9), { stream: process.stdout })}${check.padEnd(width)}  ${what}`,
    ...(meaning === undefined ? [] : [`${indent}${meaning}`]),
    ...(remedy === undefined ? [] : [`${indent}${styleText("bold", remedy, { stream: process.stdout })}`]),
  ]);
  const errors = findings.filter(({ level }) => level === "error").length;
  const warnings = findings.filter(({ level }) => level === "warning").length;
  if (errors + warnings === 0) return [...lines, "", "Nothing is in the way."];
  const all = [
    ...(errors > 0 ? [counted(errors, "error")] : []),
    ...(warnings > 0 ? [counted(warnings, "warning")] : []),
  ];
  return [...lines, "", `${all.join(" and ")}.`];
}
