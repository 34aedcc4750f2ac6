import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LbError } from "../model/errors.ts";
import { maxSocketPathBytes } from "../model/socket-path.ts";

/** Where this cluster's workers open the Unix sockets that take the front's traffic. */
export interface IntakeDirectory {
  /** Where it is, among those of other clusters. */
  readonly parent: string;
  /** Unique for the life of the cluster: no incarnation ever meets its predecessor's socket. */
  pathFor(endpointId: string): string;
  /** Where the primary connects the workers with one another. */
  readonly hubPath: string;
  /** What a killed worker left behind. */
  removePath(endpointId: string): void;
  /** Removes everything. Synchronous, since the last use is just before the process ends. */
  remove(): void;
}

/**
 * Makes a new directory that only this user can enter (mode 0700): connecting to a socket needs the right to search its
 * directory, so nobody else reaches the workers, and a name in it needs no further guard. The name says whose it is, and is
 * random besides; what clusters left that were killed, later ones remove (`abandoned-directories.ts`).
 *
 * @throws LbError `LB_INTAKE_DIRECTORY`
 *
 * This file alone knows what an intake's address looks like; on Windows it would answer with a named pipe.
 */
export function createIntakeDirectory(base: string = tmpdir()): IntakeDirectory {
  const longest = Buffer.byteLength(join(base, "lb-4194304-XXXXXX", "10000.1000000000.sock"));
  const parent = longest > maxSocketPathBytes ? "/tmp" : base;
  const directory = makeDirectory(parent);
  const pathFor = (endpointId: string) => join(directory, `${endpointId}.sock`);
  return {
    parent,
    pathFor,
    hubPath: join(directory, "hub.sock"),
    removePath: (endpointId) => rmSync(pathFor(endpointId), { force: true }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function makeDirectory(parent: string): string {
  try {
    return mkdtempSync(join(parent, `lb-${process.pid}-`));
  } catch (cause) {
    const message = `Cannot make a directory for the workers' private sockets in ${parent}: make it writable, or set TMPDIR.`;
    throw new LbError("LB_INTAKE_DIRECTORY", message, { cause });
  }
}
