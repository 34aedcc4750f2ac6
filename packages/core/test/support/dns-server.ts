import { spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";

export interface DnsServer {
  /** As resolvers are told of it. */
  readonly server: string;
  /** Answers by these from now on: name and address, one a line, as in /etc/hosts the other way round. */
  answer(hosts: Readonly<Record<string, readonly string[]>>): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Asked for by tests alone, so that they can tell when the server has read its list. */
const marker = "marker.lb.test";

/** dnsmasq, which knows everything of `lb.test`, until the test ends. `services`: name, host, port, priority, weight. */
export async function dnsServer(services: readonly string[] = []): Promise<DnsServer> {
  const directory = mkdtempSync(join(tmpdir(), "lb-dns-"));
  // It reads its list as somebody else.
  chmodSync(directory, 0o755);
  const port = await freePorts(1);
  const hosts = join(directory, "hosts");
  const server = `127.0.0.1:${port}`;
  let process_: ReturnType<typeof spawn> | undefined;
  let written = 0;
  const markedBy = (count: number) => `127.1.${count >> 8}.${count & 255}`;
  const write = (answers: Readonly<Record<string, readonly string[]>>) => {
    written += 1;
    const lines = Object.entries(answers).flatMap(([name, all]) => all.map((address) => `${address} ${name}`));
    writeFileSync(hosts, [...lines, `${markedBy(written)} ${marker}`, ""].join("\n"));
  };
  const read = async () => {
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([server]);
    const isRead = async () => (await resolver.resolve4(marker).catch((): string[] => [])).includes(markedBy(written));
    await eventually(isRead, { what: "dnsmasq answers by what was written" });
  };
  const stop = async () => {
    if (process_ === undefined || process_.exitCode !== null || process_.signalCode !== null) return;
    const ended = once(process_, "exit");
    process_.kill("SIGKILL");
    await ended;
  };
  const start = async () => {
    process_ = spawn(
      "dnsmasq",
      [
        ...["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file", "--no-resolv", "--no-hosts"],
        ...["--listen-address=127.0.0.1", "--bind-interfaces", `--port=${port}`],
        // Larger answers are cut, and asked for anew by TCP.
        ...["--local=/lb.test/", "--local-ttl=7", "--edns-packet-max=512", `--addn-hosts=${hosts}`],
        ...services.map((service) => `--srv-host=${service}`),
      ],
      { stdio: "ignore" },
    );
    await read();
  };
  write({});
  onTestFinished(async () => {
    await stop();
    rmSync(directory, { recursive: true, force: true });
  });
  await start();
  return {
    server,
    async answer(answers) {
      write(answers);
      process_!.kill("SIGHUP");
      await read();
    },
    stop,
    start,
  };
}
