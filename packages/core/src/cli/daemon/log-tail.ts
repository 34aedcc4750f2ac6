import { createReadStream, existsSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as after } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import { compressed, generation } from "../../access-log/rotation.ts";

/** Read from the end of a file at once. */
const chunkBytes = 65_536;
/** A log is looked at for new lines so often. */
const lookMs = 200;
const maxGenerations = 100;

/** The last lines of a log, older files included, of those that `isWanted`. `from`: what stands before that octet of the newest file does not count. */
export async function lastLines(
  path: string,
  count: number,
  from = 0,
  isWanted: (line: string) => boolean = () => true,
): Promise<readonly string[]> {
  let lines: string[] = [];
  const oldest = from > 0 ? 1 : maxGenerations;
  for (let age = 0; age < oldest && lines.length < count; age += 1) {
    const wanted = { count: count - lines.length, from, isWanted };
    const file = generation(path, age);
    const found = (await endOf(file, wanted)) ?? (await endOfCompressed(file + compressed, wanted));
    if (found === undefined) break;
    lines = [...found, ...lines];
  }
  return lines;
}

interface Wanted {
  readonly count: number;
  readonly from: number;
  readonly isWanted: (line: string) => boolean;
}

/** Undefined: there is no such file. */
async function endOf(path: string, { count, from, isWanted }: Wanted): Promise<readonly string[] | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    let { size: at } = await file.stat();
    let lines: string[] = [];
    // Octets of the line of which the beginning is not read yet.
    let rest: Buffer = Buffer.alloc(0);
    const least = Math.min(from, at);
    while (at > least && lines.length < count) {
      const length = Math.min(chunkBytes, at - least);
      at -= length;
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, at);
      const bytes = Buffer.concat([buffer, rest]);
      const first = at === least ? 0 : bytes.indexOf(10) + 1;
      rest = bytes.subarray(0, first);
      const whole = bytes.toString("utf8", first).split("\n");
      if (whole.at(-1) === "") whole.pop();
      lines = [...whole.filter(isWanted), ...lines];
    }
    return count === 0 ? [] : lines.slice(-count);
  } finally {
    await file.close();
  }
}

/** The same of one that is compressed, which is read from its beginning. */
async function endOfCompressed(path: string, { count, isWanted }: Wanted): Promise<readonly string[] | undefined> {
  if (!existsSync(path)) return undefined;
  const text = createReadStream(path).pipe(createGunzip());
  let lines: string[] = [];
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (!isWanted(line)) continue;
    lines.push(line);
    if (lines.length > 2 * count) lines = lines.slice(-count);
  }
  return lines.slice(-count);
}

/** Lines that are added to a log from now on, by whatever name its file has until it is empty; until `goesOn` says no. */
export async function* newLines(path: string, goesOn: () => boolean): AsyncGenerator<string> {
  let file = await open(path).catch(() => undefined);
  let at = (await file?.stat())?.size ?? 0;
  let partial: Buffer = Buffer.alloc(0);
  try {
    while (true) {
      const last = !goesOn();
      for (;;) {
        const read = await file?.read(Buffer.alloc(chunkBytes), 0, chunkBytes, at);
        if (read === undefined || read.bytesRead === 0) break;
        at += read.bytesRead;
        const bytes = Buffer.concat([partial, read.buffer.subarray(0, read.bytesRead)]);
        const end = bytes.lastIndexOf(10) + 1;
        partial = bytes.subarray(end);
        if (end > 0) yield* bytes.toString("utf8", 0, end - 1).split("\n");
      }
      const there = await stat(path).catch(() => undefined);
      const ours = await file?.stat();
      if (there !== undefined && (there.ino !== ours?.ino || there.size < at)) {
        await file?.close();
        file = await open(path).catch(() => undefined);
        at = 0;
        partial = Buffer.alloc(0);
        continue;
      }
      if (last) return;
      await after(lookMs);
    }
  } finally {
    await file?.close();
  }
}
