import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { logFile } from "../daemon/launch.ts";
import { directoryOf } from "../daemon/state-directory.ts";
import { plannedOptions } from "../planned-options.ts";
import { say } from "../say.ts";
import { addConfigurationFlags, addStartFlags } from "../start-flags.ts";
import { type PlanFlags, plan, type StartPlan } from "../start-plan.ts";
import { runningClusters } from "../targets.ts";
import { launchdPlist, plistLabel } from "./plist.ts";
import { lbCommand, serviceFacts, serviceVariables } from "./service-facts.ts";
import { mark, resurrectUnit, type ServiceFacts, serviceUnit, socketUnit, unitName } from "./unit.ts";

interface StartupFlags extends PlanFlags, Readonly<Record<string, unknown>> {
  readonly user?: boolean;
  readonly print?: boolean;
  readonly dryRun?: boolean;
  readonly remove?: boolean;
  readonly saved?: boolean;
  readonly socket?: boolean;
  readonly runAs?: string;
}

const examples = `
Examples:
  sudo lb startup app.js --name shop -p 3000 --env-file .env    from now on, and after each reboot
  lb startup app.js --print                                     shows the unit, and changes nothing
  lb startup . --user                                           without root: a service of this user
  sudo lb startup --name shop --remove
`;

export function addStartupCommand(program: Command): void {
  const command = program
    .command("startup")
    .argument("[entry]", "as for lb start, and so are its flags")
    .argument("[args...]", "arguments of the app, behind --")
    .description("have systemd (or launchd) run an app: now, after a crash of the primary, after a reboot")
    .addHelpText("after", examples)
    .action((entry: string | undefined, _: unknown, flags: StartupFlags) => startup(entry, flags))
    .optionsGroup("Service:")
    .option("--user", "a service of this user alone, for which no root is needed")
    .option("--run-as <user>", "who runs it (default: who has called sudo)")
    .option("--socket", "systemd listens, so that nobody is refused while the primary is started anew")
    .option("--saved", "in place of one app all that lb save has noted")
    .option("--print", "show what would be written, and change nothing")
    .option("--dry-run", "the same")
    .option("--remove", "end the service, and remove it");
  addConfigurationFlags(addStartFlags(command));
}

/** A file of the service manager. */
interface ServiceFile {
  readonly path: string;
  readonly text: string;
}

async function startup(entry: string | undefined, flags: StartupFlags): Promise<void> {
  const ofUser = flags.user === true;
  const isMac = process.platform === "darwin";
  if (!isMac && process.platform !== "linux")
    throw new CliError(`There is no service manager that lb knows on ${process.platform}.`, 1);
  const files = flags.saved === true ? savedFiles(flags) : await appFiles(entry, flags);
  if (flags.print === true || flags.dryRun === true) {
    for (const { path, text } of files) say(`# ${path}\n${text}`);
    return;
  }
  if (!ofUser && process.getuid?.() !== 0) throw needsRoot();
  if (flags.remove === true) return isMac ? removeFromLaunchd(files) : removeFromSystemd(files, ofUser);
  for (const file of files) write(file);
  if (isMac) run("launchctl", "load", "-w", files[0]!.path);
  else await enable(files, ofUser);
}

function savedFiles(flags: StartupFlags): readonly ServiceFile[] {
  if (process.platform === "darwin") throw new CliError("--saved is for systemd: give each app a startup here.", 2);
  const ofUser = flags.user === true;
  const lb = lbCommand();
  const facts = { lb, user: ofUser ? undefined : serviceUser(flags), env: serviceVariables(process.env, lb[0]!) };
  return [{ path: join(unitDirectory(ofUser), "lb-saved.service"), text: resurrectUnit(facts, ofUser) }];
}

async function appFiles(entry: string | undefined, flags: StartupFlags): Promise<readonly ServiceFile[]> {
  // What is removed may be there no longer.
  const planned: StartPlan =
    flags.remove === true && entry === undefined && flags["name"] !== undefined
      ? { kind: "front", config: {}, configFile: undefined }
      : await plan(entry, flags);
  const ofUser = flags.user === true;
  const socket = flags.socket === true;
  if (socket && ["port", "host", "listen"].some((option) => Object.hasOwn(planned.config, option)))
    throw new CliError("--socket: take port, host and listen out of the configuration, and give --port here.", 2);
  const facts = serviceFacts({
    options: plannedOptions(planned, flags),
    alone: planned.kind === "front" || planned.kind === "apps",
    words: process.argv.slice(3),
    user: ofUser ? undefined : serviceUser(flags),
    socket,
  });
  return process.platform === "darwin" ? launchdFiles(facts, ofUser) : systemdFiles(facts, ofUser);
}

function systemdFiles(facts: ServiceFacts, ofUser: boolean): readonly ServiceFile[] {
  const path = join(unitDirectory(ofUser), unitName(facts.name));
  return [
    { path: `${path}.service`, text: serviceUnit(facts, ofUser) },
    ...(facts.sockets.length === 0 ? [] : [{ path: `${path}.socket`, text: socketUnit(facts) }]),
  ];
}

function launchdFiles(facts: ServiceFacts, ofUser: boolean): readonly ServiceFile[] {
  const folder = ofUser ? join(homedir(), "Library/LaunchAgents") : "/Library/LaunchDaemons";
  const { name } = facts;
  const log = ofUser
    ? logFile({ name, log: { directory: directoryOf(name), maxBytes: 0, files: 1 } })
    : `/var/log/${plistLabel(name)}.log`;
  return [{ path: join(folder, `${plistLabel(name)}.plist`), text: launchdPlist(facts, log) }];
}

function unitDirectory(ofUser: boolean): string {
  if (!ofUser) return "/etc/systemd/system";
  const { XDG_CONFIG_HOME: config } = process.env;
  return join(config?.startsWith("/") === true ? config : join(homedir(), ".config"), "systemd/user");
}

/** Undefined: nobody but root. */
function serviceUser({ runAs, remove }: StartupFlags): string | undefined {
  if (runAs !== undefined) return runAs === "root" ? undefined : runAs;
  const { SUDO_USER: caller } = process.env;
  if (caller !== undefined && caller !== "root") return caller;
  const { uid, username } = userInfo();
  if (uid !== 0) return username;
  if (remove !== true) console.error("lb: it will run as root: --run-as <user> names somebody who may do less.");
  return undefined;
}

function needsRoot(): CliError {
  const words = [...lbCommand(), ...process.argv.slice(2)].map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  return new CliError(
    `Services of the machine are root's to set up (--user: one of yours alone, --print: show it). Run:\n  sudo ${words.join(" ")}`,
    1,
  );
}

function write({ path, text }: ServiceFile): void {
  if (existsSync(path) && !isOurs(path))
    throw new CliError(`${path} is there, and was not written by lb startup: remove it, or choose another --name.`, 1);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o644 });
  say(`wrote ${path}`);
}

async function enable(files: readonly ServiceFile[], ofUser: boolean): Promise<void> {
  const units = files.map(({ path }) => path.replace(/^.*\//, ""));
  const [service = "", socket] = units;
  systemctl(ofUser, "daemon-reload");
  const name = service.replace(/^lb-|\.service$/g, "");
  const other = (await runningClusters()).find((one) => unitName(one.name) === `lb-${name}`);
  if (other !== undefined && !isActive(ofUser, service)) {
    systemctl(ofUser, "enable", ...units);
    say(`${other.name} (pid ${other.pid}) runs already, outside of it. To change over:`);
    say(`  lb stop ${other.name} && systemctl ${ofUser ? "--user " : ""}start ${socket ?? service}`);
    return;
  }
  const was = isActive(ofUser, service);
  systemctl(ofUser, "enable", "--now", ...(socket === undefined ? [] : [socket]), service);
  if (was) say(`It runs as it was until: systemctl ${ofUser ? "--user " : ""}restart ${service}`);
  if (ofUser && !hasLinger()) run("loginctl", "enable-linger");
  const of = ofUser ? "--user " : "";
  say(`${service} runs, and after each start of the machine. To look at it:`);
  say(`  systemctl ${of}status ${service}    journalctl ${of}-u ${service} -f    lb status`);
}

/** Otherwise a user's services end when they log out, and do not begin before they log in. */
function hasLinger(): boolean {
  return existsSync(join("/var/lib/systemd/linger", userInfo().username));
}

function removeFromSystemd(files: readonly ServiceFile[], ofUser: boolean): void {
  const paths = files.flatMap(({ path }) => [path, path.replace(/service$/, "socket")]).filter((path) => isOurs(path));
  if (paths.length === 0) throw new CliError(`There is no ${files[0]!.path} that lb startup has written.`, 3);
  systemctl(ofUser, "disable", "--now", ...paths.map((path) => path.replace(/^.*\//, "")));
  for (const path of paths) remove(path);
  systemctl(ofUser, "daemon-reload");
}

function removeFromLaunchd([file]: readonly ServiceFile[]): void {
  if (!isOurs(file!.path)) throw new CliError(`There is no ${file!.path} that lb startup has written.`, 3);
  run("launchctl", "unload", "-w", file!.path);
  remove(file!.path);
}

function isOurs(path: string): boolean {
  return (
    statSync(path, { throwIfNoEntry: false })?.isFile() === true && readFileSync(path, "utf8").includes(mark.slice(2))
  );
}

function remove(path: string): void {
  rmSync(path);
  say(`removed ${path}`);
}

function isActive(ofUser: boolean, unit: string): boolean {
  return spawnSync("systemctl", [...(ofUser ? ["--user"] : []), "is-active", "--quiet", unit]).status === 0;
}

function systemctl(ofUser: boolean, ...words: readonly string[]): void {
  run("systemctl", ...(ofUser ? ["--user"] : []), ...words);
}

/** Shows what it runs, and what that says. @throws CliError */
function run(command: string, ...words: readonly string[]): void {
  say(`$ ${command} ${words.join(" ")}`);
  const { status, error } = spawnSync(command, words, { stdio: "inherit" });
  if (error !== undefined) throw new CliError(`${command} cannot be run: ${error.message}.`, 1);
  if (status !== 0) throw new CliError(`${command} ${words.join(" ")} failed with exit code ${status}.`, 1);
}
