/** Raised when a message changes its meaning; a server refuses clients of another version. */
export const controlVersion = 2;

/** One line of JSON from the client. */
export interface ControlRequest {
  readonly version: number;
  readonly command: string;
  readonly argument?: unknown;
}

/** One line of JSON each: any number of events, then a result or an error, which is the last. */
export type ControlReply =
  | { readonly event: unknown }
  | { readonly result: unknown }
  | { readonly error: ControlFailure };

export interface ControlFailure {
  /** An `LbError` code, or `LB_CONTROL_…`. */
  readonly code: string;
  readonly message: string;
  /** Fields that the error has besides, such as a reload's `step`. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Longest line of a client, in characters. */
export const maxRequestLength = 1_048_576;
/** Longest line of a primary: what `watch` tells of a thousand instances is a megabyte and more. */
export const maxReplyLength = 16_777_216;

/** Cuts what is read into lines. */
export class LineReader {
  readonly #maxLength: number;
  #partial = "";

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** The lines that `text` completes; undefined: one is too long. */
  read(text: string): readonly string[] | undefined {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop()!;
    return this.#partial.length > this.#maxLength ? undefined : lines;
  }
}

/** Undefined: it is none. */
export function readReply(line: string): ControlReply | undefined {
  try {
    const reply = JSON.parse(line) as unknown;
    if (typeof reply !== "object" || reply === null) return undefined;
    if ("event" in reply || "result" in reply) return reply as ControlReply;
    const { error } = reply as { readonly error?: Partial<ControlFailure> };
    return typeof error?.code === "string" && typeof error.message === "string" ? (reply as ControlReply) : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined: it is none. */
export function readRequest(line: string): ControlRequest | undefined {
  try {
    const { version, command, argument } = JSON.parse(line) as { [Key in keyof ControlRequest]?: unknown };
    if (typeof version !== "number" || typeof command !== "string") return undefined;
    return { version, command, argument };
  } catch {
    return undefined;
  }
}
