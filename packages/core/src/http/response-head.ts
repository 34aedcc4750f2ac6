import type { BodyFraming } from "./body-framing.ts";
import type { HttpLimits } from "./limits.ts";
import type { BadResponse } from "./rejection.ts";

export class ResponseHead {
  declare readonly status: number;
  declare readonly minorVersion: 0 | 1;
  declare readonly reason: string;
  declare readonly headers: readonly string[];
  declare readonly framing: BodyFraming;
  declare readonly persistent: boolean;
  declare readonly upgrade: string | undefined;
  declare readonly byteLength: number;
  declare readonly interim: boolean;

  header(_lowerName: string): string | undefined {
    throw new Error("being written");
  }
}

export class ResponseHeadParser {
  constructor(_limits: HttpLimits) {}

  parse(_buffer: Buffer, _start: number, _end: number, _requestMethod: string): ResponseHead | BadResponse | undefined {
    throw new Error("being written");
  }

  reset(): void {}
}
