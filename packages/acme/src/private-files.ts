import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AcmeError } from "./errors.ts";

// Files that hold keys: nobody but this user reads them, and no reader finds one half written.

/** Makes it, with those above it that are not there. @throws AcmeError `LB_ACME_STORAGE` */
export async function openDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const { mode, uid } = await stat(path);
    const own = process.getuid?.() ?? uid;
    if (uid !== own) throw new Error(`it belongs to the user with the id ${uid}, not to this one (${own})`);
    if ((mode & 0o022) !== 0) throw new Error(`others may write in it (mode ${(mode & 0o777).toString(8)})`);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** In place of what was there, in one step. @throws AcmeError `LB_ACME_STORAGE` */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    throw unusable(dirname(path), cause);
  }
}

export function unusable(path: string, cause: unknown): AcmeError {
  const remedy = 'Give the option "https.acme.storage" a directory that is this user\'s alone, on a disk with room.';
  return new AcmeError("LB_ACME_STORAGE", `${path} cannot be used: ${(cause as Error).message}. ${remedy}`, { cause });
}
