import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createLinkTransport, type LinkTransportOptions } from "../../src/front/transport/link-transport.ts";
import type { Transport } from "../../src/front/transport/upstream.ts";
import type { LinkError } from "../../src/link/errors.ts";
import { FrameBatch } from "../../src/link/frame-batch.ts";
import { systemClock } from "../../src/model/clock.ts";
import { eventually } from "./eventually.ts";
import { openLinkEndpoint } from "./link-endpoint.ts";
import { get, type TestClient, TestExchange } from "./test-exchange.ts";

export const endpoint = { id: "0.1", slot: 0, incarnation: 1, weight: 1, address: { kind: "unix", path: "" } } as const;

export function linkTo(path: string, options: Partial<LinkTransportOptions> = {}): Transport {
  return createLinkTransport({ endpoint, path, clock: systemClock, onDown: () => {}, ...options });
}

export async function worker(listener: RequestListener, options: { readonly windowBytes?: number } = {}) {
  const server = createServer(listener);
  const open = await openLinkEndpoint(server, options);
  onTestFinished(() => open.stop());
  return { server, ...open };
}

export function transportTo(path: string, options: Partial<LinkTransportOptions> = {}) {
  const downs: LinkError[] = [];
  const transport = linkTo(path, { onDown: (error) => downs.push(error), ...options });
  onTestFinished(() => transport.close());
  return { transport, downs };
}

export async function ask(transport: Transport, client: TestClient, path = "/"): Promise<TestExchange> {
  const exchange = new TestExchange(transport, client);
  exchange.stream.write(get(path));
  await eventually(() => exchange.body, { what: `a response to ${path}` });
  exchange.release();
  return exchange;
}

export async function forkWorker(): Promise<{ readonly child: ChildProcess; readonly path: string }> {
  const directory = mkdtempSync(join(tmpdir(), "lb-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "intake");
  const child = fork(new URL("../fixtures/link-worker.ts", import.meta.url), [path]);
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "message");
  return { child, path };
}

export function frames(write: (batch: FrameBatch) => void): Buffer {
  const batch = new FrameBatch();
  write(batch);
  return Buffer.concat(batch.take());
}
