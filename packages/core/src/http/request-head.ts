import type { RequestView } from "../model/request-view.ts";
import type { BodyFraming } from "./body-framing.ts";
import type { HttpLimits } from "./limits.ts";
import type { Rejection } from "./rejection.ts";

export class RequestHead implements RequestView {
  declare readonly method: string;
  declare readonly target: string;
  declare readonly minorVersion: 0 | 1;
  declare readonly host: string;
  declare readonly headers: readonly string[];
  declare readonly framing: BodyFraming;
  declare readonly persistent: boolean;
  declare readonly expectsContinue: boolean;
  declare readonly upgrade: string | undefined;
  declare readonly byteLength: number;
  clientAddress = "";

  header(_lowerName: string): string | undefined {
    throw new Error("being written");
  }
}

export class RequestHeadParser {
  constructor(_limits: HttpLimits) {}

  parse(_buffer: Buffer, _start: number, _end: number): RequestHead | Rejection | undefined {
    throw new Error("being written");
  }

  /** Forgets a partly read head; the memo stays. */
  reset(): void {}
}
