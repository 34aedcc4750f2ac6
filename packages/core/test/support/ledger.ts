import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";

/** What one request came to, as its client saw it. */
export type Result =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | { readonly kind: "failed"; readonly error: Error };

interface Entry {
  readonly id: string;
  readonly method: string;
  readonly result: Result;
}

/** Both sides of every request in a test: what clients asked and got, and what workers began to work on. */
export class Ledger {
  readonly path: string;
  readonly entries: Entry[] = [];
  #next = 0;

  /** Goes with the test, or with whatever `finished` hands its end to. */
  constructor(finished: (end: () => Promise<void>) => void = onTestFinished) {
    const folder = mkdtempSync(join(tmpdir(), "lb-ledger-"));
    this.path = join(folder, "worked");
    writeFileSync(this.path, "");
    finished(async () => rmSync(folder, { recursive: true, force: true }));
  }

  /** Sends one request on a connection of its own, with an id of its own, and writes down what came of it. */
  async ask(port: number, method: string, path: string, body = ""): Promise<Result> {
    const id = `r${this.#next++}`;
    const result = await new Promise<Result>((resolve) => {
      const failed = (error: Error) => resolve({ kind: "failed", error });
      const sent = request(
        { host: "127.0.0.1", port, method, path: `${path}${path.includes("?") ? "&" : "?"}id=${id}`, agent: false },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (part: string) => {
            text += part;
          });
          response.on("error", failed);
          response.on("end", () => resolve({ kind: "answered", status: response.statusCode!, body: text }));
        },
      );
      sent.on("error", failed);
      sent.end(body);
    });
    this.entries.push({ id, method, result });
    return result;
  }

  /** How often workers began to work on each request. */
  worked(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const line of this.lines()) {
      const id = line.split(" ")[0]!;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  lines(): readonly string[] {
    return readFileSync(this.path, "utf8").split("\n").filter(Boolean);
  }

  /** What holds whatever happened: nothing that is not idempotent ran twice, nothing was answered that nobody did. */
  balance(): void {
    const worked = this.worked();
    for (const { id, method, result } of this.entries) {
      const times = worked.get(id) ?? 0;
      if (method === "POST") expect(times, `times that POST ${id} ran`).toBeLessThanOrEqual(1);
      if (result.kind === "answered" && result.status === 200) {
        expect(times, `times that ${method} ${id} ran, which was answered`).toBeGreaterThanOrEqual(1);
      }
    }
  }
}
