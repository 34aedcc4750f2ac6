import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { PeerCertificate } from "node:tls";
import { type ConnectionOptions, connect } from "node:tls";
import type { ClusterEventMap } from "@lb/core";
import { onTestFinished } from "vitest";
import { eventually } from "../../../core/test/support/eventually.ts";
import { freePorts } from "../../../core/test/support/free-ports.ts";
import { type PrimaryOptions, PrimaryProcess } from "../../../core/test/support/primary-process.ts";
import type { TestAuthority } from "./pebble.ts";

const fixture = resolve(import.meta.dirname, "../fixtures/app.ts");

/** A directory that is gone with the test. */
export function storageFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lb-acme-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ports {
  readonly port: number;
  readonly httpsPort: number;
}

/** Free ones, which an authority is told before a cluster opens them. */
export async function publicPorts(): Promise<Ports> {
  return { port: await freePorts(1), httpsPort: await freePorts(1) };
}

export interface AcmeClusterOptions extends Ports {
  readonly authority: TestAuthority;
  readonly storage: string;
  readonly domains?: readonly string[];
  readonly acme?: object;
  readonly options?: object;
  readonly process?: PrimaryOptions;
}

/** A cluster of two instances that gets its certificate from a test's authority. */
export class AcmeCluster {
  readonly primary: PrimaryProcess;
  readonly #httpsPort: number;

  constructor(given: AcmeClusterOptions) {
    const { authority, storage, domains = ["a.example"], port, httpsPort, acme, options } = given;
    const { directory, ca } = authority;
    this.#httpsPort = httpsPort;
    const all = {
      port,
      workerPort: 0,
      instances: 1,
      https: {
        port: httpsPort,
        acme: { domains, email: "x@a.example", agreeTos: true, directory, ca, storage, ...acme },
      },
      ...options,
    };
    this.primary = new PrimaryProcess(fixture, {
      ...given.process,
      env: { LB_TEST_OPTIONS: JSON.stringify(all), ...given.process?.env },
    });
  }

  /** Resolves with its serial number when it has its first certificate, or the one that was stored. */
  async certified(): Promise<string> {
    await this.primary.up();
    return eventually(
      () =>
        this.peer("a.example").then(
          ({ serialNumber }) => serialNumber,
          () => undefined,
        ),
      {
        what: `a certificate; its log:
${this.primary.log}`,
      },
    );
  }

  /** Resolves with them when there were so many since it was up. */
  async events<Name extends keyof ClusterEventMap>(
    name: Name,
    count: number,
  ): Promise<readonly ClusterEventMap[Name][]> {
    return eventually(
      () => {
        const found = this.primary.events.filter((event) => event.name === name);
        return found.length >= count && found.map(({ argument }) => argument as ClusterEventMap[Name]);
      },
      { what: `${count} × ${name}; its log:\n${this.primary.log}`, withinMs: 20_000 },
    );
  }

  /** What a client is shown that names `servername`; rejects if the handshake does. */
  peer(servername: string, options: ConnectionOptions = {}): Promise<PeerCertificate> {
    return new Promise((done, failed) => {
      const socket = connect({
        port: this.#httpsPort,
        host: "127.0.0.1",
        servername,
        rejectUnauthorized: false,
        ...options,
      });
      socket.on("error", failed);
      socket.on("secureConnect", () => {
        done(socket.getPeerCertificate());
        socket.destroy();
      });
    });
  }
}
