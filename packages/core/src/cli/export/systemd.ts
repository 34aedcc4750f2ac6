import type { Running } from "./running.ts";
import { remarks } from "./words.ts";

/** Time after a drain until what is left is killed. */
const marginMs = 5_000;
/** As `lb startup` gives the primary. */
const descriptors = 65_536;

/** Units that supervise the instances in place of the primary: one template, `<name>@<port>.service`, and a target of all. */
export function systemd(running: Running): Readonly<Record<string, string>> {
  const { name: given, instances, cwd, env, envFiles, restart, stopExitCodes } = running;
  const name = given.replaceAll(/[^\w.-]+/g, "_");
  const first = running.firstPort();
  const ports = Array.from({ length: instances }, (_, at) => first + at);
  const units = ports.map((port) => `${name}@${port}.service`);
  const command = commandOf(running);
  const stop = running.shutdownDelayMs + running.drainMs + marginMs;
  const notes = [
    "the front: lb export haproxy | nginx | caddy | envoy",
    `a rolling reload: for port in ${ports.join(" ")}; do systemctl restart ${name}@$port || break; done`,
    ...(running.memoryMb === undefined ? [] : ["maxMemoryMb: the kernel kills; lb has a successor take over first"]),
    ...(running.autoscale === undefined ? [] : ["autoscale: as many as the target wants"]),
    ...running.others,
  ];
  const service = sections(notes, {
    Unit: [
      `Description=${escaped(given)}, instance at port %i`,
      `PartOf=${name}.target`,
      "After=network-online.target",
      "Wants=network-online.target",
      "# As here: one that does not come up is tried for ever.",
      "StartLimitIntervalSec=0",
    ],
    Service: [
      "Type=exec",
      `WorkingDirectory=${escaped(cwd)}`,
      ...envFiles.map((file) => `EnvironmentFile=${escaped(file)}`),
      ...Object.entries({ ...env, PORT: "%i", HOST: "127.0.0.1" }).map(
        ([key, value]) => `Environment=${quoted(`${key}=${value === "%i" ? value : escaped(value)}`)}`,
      ),
      "# The number that an instance has: 1, 2, …",
      `ExecStart=/bin/sh -c ${quoted(`INSTANCE_ID=$$(($$PORT - ${first - 1})) NODE_APP_INSTANCE=$$(($$PORT - ${first})) exec "$$@"`)} sh ${command}`,
      "# Started is whoever listens, so that a restart of one after the other leaves no gap.",
      `ExecStartPost=/bin/bash -c ${quoted("until (exec 3<>/dev/tcp/$$HOST/$$PORT) 2>/dev/null; do sleep 0.1; done")}`,
      `TimeoutStartSec=${Math.ceil(running.startTimeoutMs / 1_000)}`,
      "Restart=always",
      `RestartSec=${restart.delayMs}ms`,
      "# From systemd 254 on the pause can grow:",
      `# RestartSteps=${restart.maxCrashes}`,
      `# RestartMaxDelaySec=${restart.crashLoopDelayMs}ms`,
      ...(stopExitCodes.length === 0 ? [] : [`RestartPreventExitStatus=${stopExitCodes.join(" ")}`]),
      ...(stopExitCodes.length === 0 ? [] : [`SuccessExitStatus=${stopExitCodes.join(" ")}`]),
      `KillSignal=${running.stopSignal}`,
      "KillMode=mixed",
      `TimeoutStopSec=${Math.ceil(stop / 1_000)}`,
      ...(running.memoryMb === undefined ? [] : [`MemoryMax=${running.memoryMb}M`]),
      `LimitNOFILE=${descriptors}`,
      "NoNewPrivileges=yes",
      "ProtectSystem=full",
    ],
  });
  const target = sections([], {
    Unit: [`Description=${escaped(given)}, all instances`, `Wants=${units.join(" ")}`],
    Install: ["WantedBy=multi-user.target"],
  });
  return { [`${name}@.service`]: service, [`${name}.target`]: target };
}

function sections(notes: readonly string[], all: Readonly<Record<string, readonly string[]>>): string {
  const texts = Object.entries(all).map(
    ([title, lines]) => `[${title}]\n${lines.map((line) => line.replaceAll(/[\r\n]/g, " ")).join("\n")}\n`,
  );
  return remarks("#", notes) + texts.join("\n");
}

/** What begins with a percent sign systemd replaces. */
function escaped(text: string): string {
  return text.replaceAll("%", "%%");
}

/** Stands for what systemd fills in, which nothing else of the words is to look like. */
const portMark = "\u0001";

function commandOf(running: Running): string {
  const place = { port: portMark, host: "127.0.0.1", instance: portMark, node: process.execPath, inImage: false };
  return running
    .command(place)
    .map((text) => {
      const word = escaped(text).replaceAll("$", "$$$$");
      const isPlain = /^[\w@%+=:,./-]+$/.test(word.replaceAll(portMark, ""));
      return (isPlain ? word : quoted(word)).replaceAll(portMark, "%i");
    })
    .join(" ");
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
