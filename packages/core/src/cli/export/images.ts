import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { Running } from "./running.ts";

/** What an image of the app is made of, and how it is run in a container. */
export interface Image {
  readonly base: string;
  readonly isNode: boolean;
  /** Before the rest is copied, and what installs by it; undefined: nothing is installed. */
  readonly packages: { readonly files: readonly string[]; readonly install: string } | undefined;
  readonly command: readonly string[];
  readonly notes: readonly string[];
}

/** By the lock file that there is. */
const installers = [
  { lock: "pnpm-lock.yaml", install: "corepack enable pnpm && pnpm install --prod --frozen-lockfile" },
  { lock: "yarn.lock", install: "corepack enable yarn && yarn install --production --frozen-lockfile" },
  { lock: "package-lock.json", install: "npm ci --omit=dev" },
  { lock: undefined, install: "npm install --omit=dev" },
] as const;

export function imageOf(running: Running, has: (file: string) => boolean = existsSync): Image {
  const { program, cwd, port } = running;
  const isNode = program === "node";
  const major = process.versions.node.split(".")[0]!;
  const inFolder = (file: string) => has(join(cwd, file));
  const { lock, install } = installers.find((one) => one.lock === undefined || inFolder(one.lock))!;
  return {
    base: isNode ? `node:${major}-slim` : "debian:stable-slim",
    isNode,
    packages: inFolder("package.json")
      ? { files: ["package.json", ...(lock === undefined ? [] : [lock])], install }
      : undefined,
    command: running.command({ port: String(port), host: "0.0.0.0", instance: "1", node: "node", inImage: true }),
    notes: isNode ? [] : [`${program}: only you know an image that has it`],
  };
}

/** Whether it answers, asked by what every image of Node.js has. */
export function healthQuestion(path: string, port: number): string {
  const url = JSON.stringify(`http://127.0.0.1:${port}${path}`);
  return `fetch(${url}).then((r) => process.exit(r.status < 400 ? 0 : 1), () => process.exit(1))`;
}

/** From where the app is; what is outside of it is as it was. */
export function inApp(cwd: string, file: string): string {
  const path = relative(cwd, file);
  return path.startsWith("..") ? file : `./${path}`;
}
