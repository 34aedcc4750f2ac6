import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import type { StreamClient } from "../../link/frame.ts";

/**
 * What of `net.Socket` is not its bytes: the facts of a client's connection, and the calls that tune a kernel's socket,
 * which have nothing to tune here.
 */
export abstract class ClientSocket extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: "IPv4" | "IPv6" | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly localFamily: string | undefined;
  /** The client reached the front over TLS. Frameworks take `req.secure` and `req.protocol` from here. */
  readonly encrypted: boolean;
  readonly connecting = false;
  readonly pending = false;
  readonly autoSelectFamilyAttemptedAddresses: string[] = [];
  bytesRead = 0;
  /** As set with `setTimeout`; 0: none. */
  timeout = 0;

  /** `local`: what the app sees as its own end. */
  constructor(client: StreamClient, local: AddressInfo | undefined) {
    // As `net.Socket`: strings are encoded where they are sent, and "close" tells whether there was an error.
    super({ allowHalfOpen: true, decodeStrings: false, emitClose: false });
    const { address, port } = client;
    this.remoteAddress = address === "" ? undefined : address;
    this.remotePort = address === "" ? undefined : port;
    this.remoteFamily = address === "" ? undefined : address.includes(":") ? "IPv6" : "IPv4";
    this.localAddress = local?.address;
    this.localPort = local?.port;
    this.localFamily = local?.family;
    this.encrypted = client.encrypted;
  }

  abstract get bytesWritten(): number;

  /** {@link timeout} has a new value. */
  protected abstract timeoutChanged(): void;

  get bufferSize(): number {
    return this.writableLength;
  }

  get readyState(): "open" | "readOnly" | "writeOnly" | "closed" {
    if (this.readable) return this.writable ? "open" : "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  address(): AddressInfo | Record<string, never> {
    const { localAddress: address, localPort: port, localFamily: family } = this;
    return address === undefined ? {} : { address, port: port!, family: family! };
  }

  setTimeout(ms: number, callback?: () => void): this {
    if (this.destroyed) return this;
    if (typeof ms !== "number" || !(ms >= 0)) throw new RangeError(`setTimeout takes milliseconds >= 0, not ${ms}`);
    this.timeout = ms;
    if (callback !== undefined) {
      if (ms === 0) this.removeListener("timeout", callback);
      else this.once("timeout", callback);
    }
    this.timeoutChanged();
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", this.destroy);
  }

  resetAndDestroy(): this {
    return this.destroy();
  }
}
