import { type Command, InvalidArgumentError } from "commander";
import type { ProfilePiece, ProfileResult } from "../../cluster/profile-command.ts";
import { ask } from "../../control/control-client.ts";
import type { ControlAddress } from "../../control/control-directory.ts";
import { instanceName } from "../../control/instance-names.ts";
import type { ProfileWish } from "../../control/profile.ts";
import { systemWallClock } from "../../model/clock.ts";
import type { SlowRequests } from "../../model/slow-requests.ts";
import { CliError } from "../cli-error.ts";
import { fileSize } from "../figures.ts";
import { type InstanceAddress, instance } from "../instance-address.ts";
import { say } from "../say.ts";
import { about, findTarget, type Target } from "../targets.ts";
import { terminalSafe } from "../terminal-safe.ts";
import { NewFile } from "./new-file.ts";
import { waterfall } from "./waterfall.ts";

interface ProfileFlags extends Target {
  readonly seconds: number;
  readonly heap?: boolean;
  readonly requests?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

const maxSeconds = 60;

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= maxSeconds) return value;
  throw new InvalidArgumentError(`Give seconds, from 1 to ${maxSeconds}.`);
}

/** `lb profile`. */
export function addProfileCommand(program: Command): void {
  about(program.command("profile"))
    .argument("[id]", "the instance: 2; may be left out with --requests: of all", instance)
    .description("take a CPU profile of an instance, a heap snapshot, or see the slowest requests")
    .option("--seconds <n>", `for how long, ${maxSeconds} at most`, seconds, 10)
    .option("--heap", "a snapshot of the heap; the instance does nothing else until it is taken")
    .option("--requests", "the slowest requests of that time, and when what happened in them")
    .option("-o, --out <file>", "where to; default: a new file in this directory, and of --requests none")
    .option("--json", "with --requests: as JSON")
    .action(async (which: (InstanceAddress & { readonly id: number }) | undefined, flags: ProfileFlags) => {
      if (flags.heap === true && flags.requests === true) throw new CliError("Give --heap or --requests, not both.", 2);
      if (which === undefined && flags.requests !== true) throw new CliError("Say which instance: lb profile 1", 2);
      const target = await findTarget(flags);
      if (flags.requests === true) await showRequests(target, which, flags);
      else await saveProfile(target, which!, flags);
    });
}

async function showRequests(
  { path }: ControlAddress,
  which: InstanceAddress | undefined,
  { seconds: time, out, json }: ProfileFlags,
): Promise<void> {
  const argument: ProfileWish = { kind: "requests", seconds: time, ...which };
  const found = (await ask({ path, command: "profile", argument })) as SlowRequests;
  if (out !== undefined) {
    const file = new NewFile(out);
    file.write(`${JSON.stringify(found, null, 2)}\n`);
    file.close();
  }
  say(json === true ? JSON.stringify(found) : waterfall(found, process.stdout.columns ?? 120));
}

async function saveProfile(
  { path, name }: ControlAddress,
  which: InstanceAddress & { readonly id: number },
  { seconds: time, heap, out }: ProfileFlags,
): Promise<void> {
  const kind = heap === true ? "heap" : "cpu";
  const called = instanceName(which.id, which.backend);
  const file = new NewFile(out ?? `${fileName(name, called)}.${kind === "cpu" ? "cpuprofile" : "heapsnapshot"}`);
  try {
    if (kind === "heap") console.error(terminalSafe(`lb: ${heapWarning(called)}`, false));
    const told = (event: unknown) => file.write((event as ProfilePiece).piece);
    const argument: ProfileWish = { kind, seconds: time, ...which };
    const result = (await ask({ path, command: "profile", argument, told })) as ProfileResult;
    if (!("bytes" in result) || result.bytes !== file.bytes) throw new CliError("Not all of the profile came.", 1);
    file.close();
    const viewer = kind === "cpu" ? "Chromium's DevTools (Performance) or speedscope" : "Chromium's DevTools (Memory)";
    say(`${file.path} (${fileSize(result.bytes)}): for ${viewer}`);
    say(`instance ${called} did nothing else for ${result.blockedMs} ms`);
  } catch (error) {
    file.discard();
    throw error;
  }
}

function heapWarning(called: string): string {
  return `instance ${called} does nothing else until its heap is written, and needs several times the memory meanwhile`;
}

/** A cluster may be called anything, a file may not. */
function fileName(cluster: string, called: string): string {
  const time = new Date(systemWallClock()).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return `${cluster.replace(/[^\w.-]/g, "_").replace(/^\.+/, "_")}-${called.replace(":", "-")}-${time}`;
}
