import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

/** `path`, `path.1`, `path.2` …, the newest first; those that are compressed have `.gz` behind that. */
export function generation(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}

export const compressed = ".gz";

/**
 * Makes room for a new file at `path`: the one that is there becomes `path.1`, that one `path.2`, and so on. Of `files` in all the
 * oldest is removed. Whoever has one of them open goes on with it under its new name.
 *
 * @throws Error of the system, but for what is not there
 */
export async function rotate(path: string, files: number): Promise<void> {
  const oldest = generation(path, files - 1);
  await rm(oldest, { force: true });
  if (files === 1) return;
  await rm(oldest + compressed, { force: true });
  for (let age = files - 2; age >= 0; age -= 1) {
    const [from, to] = [generation(path, age), generation(path, age + 1)];
    await rename(from, to).catch(ignoreMissing);
    if (age > 0) await rename(from + compressed, to + compressed).catch(ignoreMissing);
  }
}

/** `path.gz` in place of `path`, whole from the moment that it is there. The work is done by other threads. */
export async function compress(path: string): Promise<void> {
  const partial = `${path}${compressed}.partial`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(partial, { mode: 0o640 }));
    await rename(partial, path + compressed);
    await rm(path, { force: true });
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** 0: there is none. */
export async function sizeOf(path: string): Promise<number> {
  const { size } = (await stat(path).catch(ignoreMissing)) ?? { size: 0 };
  return size;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
