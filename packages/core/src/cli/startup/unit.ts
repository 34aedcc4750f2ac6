/** What of an app has to be known to run it as a service. */
export interface ServiceFacts {
  readonly name: string;
  /** Node.js and its flags, `lb`, and the arguments of `lb start`. */
  readonly command: readonly string[];
  /** Node.js, its flags and `lb` alone. */
  readonly lb: readonly string[];
  readonly cwd: string;
  /** Undefined: it is the user's own service, or the administrator's. */
  readonly user: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** From SIGTERM until all connections are cut. */
  readonly endMs: number;
  /** It listens on ports that are the administrator's. */
  readonly lowPorts: boolean;
  /** It keeps certificates. */
  readonly keepsState: boolean;
  /** Where systemd is to listen in its place; none: it listens itself. */
  readonly sockets: readonly string[];
}

/** By this a file is known as ours. */
export const mark = "# Written by `lb startup`";

/** Time after a drain until what is left is killed. */
const marginMs = 10_000;
const descriptors = 65_536;
const watchdogSeconds = 30;

export const unitName = (name: string) => `lb-${name.replace(/[^\w.:-]/g, "_")}`;

/** The unit of one app. `ofUser`: of the user's own manager, which can do less. */
export function serviceUnit(facts: ServiceFacts, ofUser: boolean): string {
  const { name, command, lb, cwd, user, env, endMs, lowPorts, keepsState, sockets } = facts;
  const unit = unitName(name);
  return sections({
    Unit: [
      `Description=${specifier(name)} (lb)`,
      ...(ofUser ? [] : ["After=network-online.target", "Wants=network-online.target"]),
      ...(sockets.length > 0 ? [`Requires=${unit}.socket`, `After=${unit}.socket`] : []),
      // An app that cannot start is tried for a while, and not for ever.
      "StartLimitIntervalSec=300",
      "StartLimitBurst=10",
    ],
    Service: [
      "# Ready when all instances are; `systemctl status` shows how many that are.",
      "Type=notify",
      "NotifyAccess=all",
      ...(user === undefined ? [] : [`User=${user}`]),
      `WorkingDirectory=${specifier(cwd)}`,
      ...Object.entries(env).map(([key, value]) => `Environment=${quoted(`${key}=${value}`)}`),
      `ExecStart=${command.map(word).join(" ")}`,
      "# Waits for the reload, and fails with it.",
      `ExecReload=${[...lb, "reload", "--pid"].map(word).join(" ")} $MAINPID`,
      "Restart=on-failure",
      "RestartSec=1",
      "# The command line or an option is wrong: it would be so again.",
      "RestartPreventExitStatus=2",
      `WatchdogSec=${watchdogSeconds}`,
      "# SIGTERM is the primary's alone, which drains the instances.",
      "KillMode=mixed",
      `TimeoutStopSec=${Math.ceil((endMs + marginMs) / 1_000)}`,
      `LimitNOFILE=${descriptors}`,
      ...(keepsState ? [`StateDirectory=${unit}`] : []),
      ...(lowPorts && !ofUser && sockets.length === 0 ? ["AmbientCapabilities=CAP_NET_BIND_SERVICE"] : []),
      "NoNewPrivileges=yes",
      ...(ofUser ? [] : ["ProtectSystem=full", "ProtectKernelTunables=yes", "ProtectKernelModules=yes"]),
    ],
    Install: [`WantedBy=${ofUser ? "default.target" : "multi-user.target"}`],
  });
}

/** The sockets that systemd holds open while the service is started anew. */
export function socketUnit({ name, sockets }: ServiceFacts): string {
  return sections({
    Unit: [`Description=${specifier(name)} (lb), where it listens`],
    Socket: [...sockets.map((socket) => `ListenStream=${specifier(socket)}`), "Backlog=4096", "NoDelay=yes"],
    Install: ["WantedBy=sockets.target"],
  });
}

export interface ResurrectFacts {
  readonly lb: readonly string[];
  readonly user: string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts what `lb save` has noted. */
export function resurrectUnit({ lb, user, env }: ResurrectFacts, ofUser: boolean): string {
  return sections({
    Unit: [
      "Description=Clusters of lb that were noted by lb save",
      ...(ofUser ? [] : ["After=network-online.target", "Wants=network-online.target"]),
    ],
    Service: [
      "Type=oneshot",
      "RemainAfterExit=yes",
      ...(user === undefined ? [] : [`User=${user}`]),
      ...Object.entries(env).map(([key, value]) => `Environment=${quoted(`${key}=${value}`)}`),
      `ExecStart=${[...lb, "resurrect"].map(word).join(" ")}`,
      `ExecStop=${[...lb, "stop", "--all"].map(word).join(" ")}`,
      "KillMode=mixed",
      "TimeoutStartSec=infinity",
      "TimeoutStopSec=130",
      `LimitNOFILE=${descriptors}`,
    ],
    Install: [`WantedBy=${ofUser ? "default.target" : "multi-user.target"}`],
  });
}

function sections(all: Readonly<Record<string, readonly string[]>>): string {
  // A name or a directory with a line feed in it must not be a setting more.
  const shown = (lines: readonly string[]) => lines.map((line) => line.replaceAll(/[\r\n]/g, " ")).join("\n");
  const texts = Object.entries(all).map(([title, lines]) => `[${title}]\n${shown(lines)}\n`);
  return `${mark}, which writes it anew. Your own settings: systemctl edit\n${texts.join("\n")}`;
}

/** What begins with a percent sign systemd replaces. */
function specifier(text: string): string {
  return text.replaceAll("%", "%%");
}

/** A word of a command line. */
function word(text: string): string {
  const dollars = text.replaceAll("$", "$$$$");
  return /^[\w@%+=:,./-]+$/.test(text) ? specifier(dollars) : quoted(dollars);
}

/** In quotes, with what systemd reads in them escaped. */
function quoted(text: string): string {
  const escaped = specifier(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${escaped}"`;
}
