import { createReadStream, readdirSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import type { ClusterStatus } from "../../packages/core/src/index.ts";
import { Counting, type Tally } from "./tally.ts";

/** What is said of the traffic in the files of the access log, those that were rotated among them. */
export async function tallyOfLog(folder: string): Promise<Tally> {
  const counting = new Counting();
  for (const name of readdirSync(folder).filter((file) => file.startsWith("access.log"))) {
    const file = createReadStream(join(folder, name));
    const input = name.endsWith(".gz") ? file.pipe(createGunzip()) : file;
    for await (const line of createInterface({ input })) {
      const { status } = JSON.parse(line) as { readonly status: number | null };
      counting.add(status ?? 0);
    }
  }
  return counting.tally;
}

const sample = /^lb_requests_total\{.*\bstatus="(\w+)".*\} (\d+)$/gm;

export function tallyOfMetrics(text: string): Tally {
  const counting = new Counting();
  for (const [, status, count] of text.matchAll(sample)) {
    counting.add(status!.endsWith("xx") ? Number(status![0]) * 100 : 0, Number(count));
  }
  return counting.tally;
}

export function tallyOfStatus({ traffic }: ClusterStatus): Tally {
  const { byStatus, unanswered } = traffic.total;
  return { ...byStatus, none: unanswered };
}

/** The admin listener, as who looks at it has it. */
export class Admin {
  readonly #port: number;
  readonly #token: string;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  text(path: string, accept = "*/*"): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${this.#token}`, accept };
      get({ port: this.#port, path, headers, agent: false }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", reject).on("end", () => {
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${path}: ${response.statusCode} ${text}`));
        });
      }).on("error", reject);
    });
  }

  async status(): Promise<ClusterStatus> {
    return (JSON.parse(await this.text("/api/status")) as { readonly status: ClusterStatus }).status;
  }

  /** Reads all events until the listener is gone; how many octets there were. */
  follow(): { readonly octets: number } {
    const heard = { octets: 0 };
    const headers = { authorization: `Bearer ${this.#token}` };
    get({ port: this.#port, path: "/api/events", headers, agent: false }, (response) => {
      response.on("data", (chunk: Buffer) => {
        heard.octets += chunk.length;
      });
      response.on("error", () => {});
    }).on("error", () => {});
    return heard;
  }
}
