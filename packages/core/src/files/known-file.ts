import type { OpenFile } from "./file-request.ts";
import type { Validators } from "./validators.ts";

/** What is known of a name below the root. */
export type Known = { readonly kind: "absent" | "directory" } | KnownFile;

/** One version of a file. */
export interface KnownFile extends Validators {
  readonly kind: "file";
  readonly size: number;
  /** By which its version is told from another one, for whoever looks again. */
  readonly identity: string;
  /** All of it, where it is small, or where to read it. */
  readonly content: Buffer | OpenFile;
}
