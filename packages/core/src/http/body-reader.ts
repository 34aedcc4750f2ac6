import type { BodyFraming } from "./body-framing.ts";
import type { HttpLimits } from "./limits.ts";
import type { BadResponse, Rejection } from "./rejection.ts";

export interface BodySink {
  bodyBytes(buffer: Buffer, start: number, end: number): void;
}

export interface BodyReaderOptions {
  readonly limits: HttpLimits;
  readonly emit: "framed" | "payload";
  readonly role: "request" | "response";
}

export class BodyReader {
  received = 0;

  reset(_framing: BodyFraming, _options: BodyReaderOptions): void {}

  read(_buffer: Buffer, _start: number, _end: number, _sink: BodySink): number {
    throw new Error("being written");
  }

  get complete(): boolean {
    return false;
  }

  get failure(): Rejection | BadResponse | undefined {
    return undefined;
  }

  closed(): boolean {
    return false;
  }
}
