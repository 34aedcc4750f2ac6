// Finds what the tests need beyond npm, and installs it where that can be done without asking: as root, on Debian and
// its kin. Else says in one sentence what to do.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

interface Need {
  readonly what: string;
  /** Any of these commands will do. */
  readonly commands: readonly string[];
  readonly debianPackages: readonly string[];
}

const needs: readonly Need[] = [
  {
    what: "a Chromium browser, for the tests that look at pages",
    commands: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    debianPackages: ["chromium"],
  },
  {
    what: "Redis 7 or Valkey, for the tests of what goes through it; they also stop and start one of their own",
    commands: ["redis-server", "valkey-server"],
    debianPackages: ["redis-server"],
  },
  {
    what: "certutil, which has a browser trust an authority",
    commands: ["certutil"],
    debianPackages: ["libnss3-tools"],
  },
  { what: "curl, a client of TLS that nobody here wrote", commands: ["curl"], debianPackages: ["curl"] },
  {
    what: "Caddy, which does in place of the front what lb export writes",
    commands: ["caddy"],
    debianPackages: ["caddy"],
  },
  { what: "dnsmasq, a DNS server whose answers change", commands: ["dnsmasq"], debianPackages: ["dnsmasq-base"] },
  { what: "goaccess, which reads access logs", commands: ["goaccess"], debianPackages: ["goaccess"] },
  { what: "HAProxy, which speaks the PROXY protocol to us", commands: ["haproxy"], debianPackages: ["haproxy"] },
  { what: "jq, which reads lines of JSON", commands: ["jq"], debianPackages: ["jq"] },
  {
    what: "pebble, a certificate authority for tests, and its DNS server",
    commands: ["pebble"],
    debianPackages: ["pebble"],
  },
  { what: "nginx, in front of a Unix socket of ours", commands: ["nginx"], debianPackages: ["nginx-light"] },
  {
    what: "systemd-socket-activate, which opens sockets for us as systemd does, and systemd-analyze beside it",
    commands: ["systemd-socket-activate"],
    debianPackages: ["systemd"],
  },
  {
    what: "uvicorn, which runs an app of ASGI, WebSockets included",
    commands: ["uvicorn"],
    debianPackages: ["uvicorn", "python3-websockets"],
  },
  { what: "gunicorn, which forks", commands: ["gunicorn"], debianPackages: ["gunicorn"] },
  { what: "PHP, which comes with a server of its own", commands: ["php"], debianPackages: ["php-cli"] },
  {
    what: "a C compiler, for a server that is as plain as can be",
    commands: ["cc"],
    debianPackages: ["gcc", "libc6-dev"],
  },
  {
    what: "Prometheus, which scrapes us, and promtool, which reads what we write for it",
    commands: ["promtool"],
    debianPackages: ["prometheus"],
  },
  { what: "tmux, a terminal in which lb monit is looked at", commands: ["tmux"], debianPackages: ["tmux"] },
  { what: "zsh, which completes commands", commands: ["zsh"], debianPackages: ["zsh"] },
  { what: "fish, which does so too", commands: ["fish"], debianPackages: ["fish"] },
  { what: "man, which reads our manual page", commands: ["man"], debianPackages: ["man-db"] },
  { what: "nghttpx, which speaks HTTP/2 to us", commands: ["nghttpx"], debianPackages: ["nghttp2-proxy"] },
  {
    what: "openssl, which makes certificates for the tests of TLS",
    commands: ["openssl"],
    debianPackages: ["openssl"],
  },
];

function onPath(command: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function run(command: string, ...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { env, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}

const missing = needs.filter(({ commands }) => !commands.some(onPath));
if (missing.length > 0) {
  const packages = missing.flatMap(({ debianPackages }) => debianPackages);
  const canInstall = process.getuid?.() === 0 && onPath("apt-get");
  if (canInstall) console.log(`installing ${packages.join(", ")} for the tests`);
  const installed =
    canInstall &&
    run("apt-get", "update", "-qq") &&
    run("apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages);
  if (!installed) {
    for (const { what, commands } of missing) {
      console.error(`The tests need ${what}: install it so that one of ${commands.join(", ")} is on the PATH.`);
    }
    process.exitCode = 1;
  }
}
