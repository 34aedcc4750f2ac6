import { Duplex } from "node:stream";

/** A connection without a network: what is pushed arrives, what is written goes nowhere. */
export class MemorySocket extends Duplex {
  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}
