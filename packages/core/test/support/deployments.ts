import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { httpGet } from "./http-get.ts";
import { Ledger } from "./ledger.ts";
import { type OperationError, type PrimaryOptions, PrimaryProcess } from "./primary-process.ts";

/** Clusters of `fixtures/ledger.ts` whose version can be deployed anew, under a load of which the ledger knows. */
export function deployments(mode: "proxy" | "handoff") {
  async function startCluster(options: object = {}, more: PrimaryOptions = {}) {
    const ledger = new Ledger();
    const folder = mkdtempSync(join(tmpdir(), "lb-version-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const deployed = join(folder, "version");
    const primary = new PrimaryProcess("ledger.ts", {
      ...more,
      env: {
        LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 3, drainTimeoutMs: 5_000, ...options }),
        LB_TEST_LEDGER: ledger.path,
        LB_TEST_VERSION: deployed,
      },
    });
    const up = await primary.up();
    return {
      ledger,
      primary,
      port: up.port,
      ports: up.instances.map((instance) => instance.port),
      pids: up.instances.map(({ pid }) => pid!),
      deploy: (version: string) => writeFileSync(deployed, version),
      pidsNow: async () => (await primary.status()).instances.map(({ pid }) => pid!),
      versions: async () => {
        const answers = await Promise.all(
          Array.from({ length: 12 }, () => httpGet(`http://127.0.0.1:${up.port}/version`)),
        );
        return [...new Set(answers.map(({ body }) => body))].sort();
      },
    };
  }

  /** What a client may see that had a request with a worker when it died: through a proxy, and on a connection of its own. */
  const isHonest = ({ method, result }: Ledger["entries"][number]) =>
    mode === "proxy"
      ? method === "POST" && result.kind === "answered" && result.status === 502
      : result.kind === "failed";

  /** Requests on connections of their own, from many clients, until told to stop. */
  function load(ledger: Ledger, port: number, clients = 8) {
    let running = true;
    const done = Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        for (let n = client; running; n++) {
          await ledger.ask(port, n % 3 === 0 ? "POST" : "GET", "/work?ms=20", n % 3 === 0 ? "abc" : "");
        }
      }),
    );
    return async (crashes: "no worker died" | "a worker died" = "no worker died") => {
      running = false;
      await done;
      ledger.balance();
      const failed = ledger.entries.filter(({ result }) => result.kind === "failed" || result.status !== 200);
      // A POST that was with a worker when it died has one honest answer. Nothing else fails, ever.
      const excused = crashes === "a worker died" ? isHonest : () => false;
      expect(failed.filter((entry) => !excused(entry))).toEqual([]);
      // A deploy that fails at once is over soon: all that counts is that everybody was at it all the time.
      expect(ledger.entries.length).toBeGreaterThan(clients);
    };
  }

  const rejection = async (operation: Promise<unknown>): Promise<OperationError> => {
    try {
      await operation;
    } catch (error) {
      return error as OperationError;
    }
    throw new Error("It did not fail");
  };

  return { startCluster, load, rejection };
}
