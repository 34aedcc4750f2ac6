import type { ListenOptions, Server } from "node:net";

/** What a call of `server.listen()` asks for. */
export type Asked =
  | { readonly kind: "port"; readonly port: number; readonly host: string | undefined }
  /** Port 0: whichever is free. */
  | { readonly kind: "any-port"; readonly host: string | undefined }
  /** A path, a descriptor, a handle, or something that Node refuses. */
  | { readonly kind: "other" };

export interface ListenCall {
  readonly asked: Asked;
  readonly callback: (() => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Reads the arguments of `net.Server.listen` in all the forms that it takes (net.js, `normalizeArgs`). */
export function readListenCall(args: readonly unknown[]): ListenCall {
  const last = args.at(-1);
  const callback = typeof last === "function" ? (last as () => void) : undefined;
  const [first, second] = args;
  if (typeof first === "object" && first !== null && !Array.isArray(first)) {
    const options = first as { readonly [Name in "port" | "host" | "path" | "fd" | "signal" | "_handle"]?: unknown };
    const signal = options.signal instanceof AbortSignal ? options.signal : undefined;
    // A handle, or an object that has one.
    if ("onconnection" in options || options._handle != null || typeof options.fd === "number") {
      return { asked: { kind: "other" }, callback, signal };
    }
    if (options.port == null && options.path != null) return { asked: { kind: "other" }, callback, signal };
    if (options.port == null && !("port" in options)) return { asked: { kind: "other" }, callback, signal };
    return { asked: askedPort(options.port, options.host), callback, signal };
  }
  return { asked: askedPort(typeof first === "function" ? undefined : first, second), callback, signal: undefined };
}

/** As that call of `listen`, but elsewhere. */
export function listenAt(
  server: Server,
  { callback, signal }: ListenCall,
  at: ListenOptions,
  original: Server["listen"],
): Server {
  return original.call(server, signal === undefined ? at : { ...at, signal }, callback);
}

function askedPort(port: unknown, host: unknown): Asked {
  const at = typeof host === "string" && host !== "" ? host : undefined;
  if (port == null) return { kind: "any-port", host: at };
  const number =
    typeof port === "number" || (typeof port === "string" && port.trim() !== "") ? Number(port) : Number.NaN;
  // Text that is no number is a path to Node, and what is out of range an error.
  if (!Number.isInteger(number) || number < 0 || number > 65_535) return { kind: "other" };
  return number === 0 ? { kind: "any-port", host: at } : { kind: "port", port: number, host: at };
}
