import { rename, rm, stat } from "node:fs/promises";

/** `path`, `path.1`, `path.2` …, the newest first. */
export function generation(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}

/**
 * Makes room for a new file at `path`: the one that is there becomes `path.1`, that one `path.2`, and so on. Of `files` in all the
 * oldest is removed. Whoever has one of them open goes on with it under its new name.
 *
 * @throws Error of the system, but for what is not there
 */
export async function rotate(path: string, files: number): Promise<void> {
  if (files === 1) return rm(path, { force: true });
  for (let age = files - 2; age >= 0; age -= 1) {
    await rename(generation(path, age), generation(path, age + 1)).catch(ignoreMissing);
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
