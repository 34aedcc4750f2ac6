import { InvalidArgumentError } from "commander";
import type { InstanceAddress } from "./instance-address.ts";

/** Which lines of an access log are wanted; what is undefined does not matter. */
export interface WantedLines {
  readonly status?: StatusRange | undefined;
  readonly route?: string | undefined;
  readonly of?: InstanceAddress | undefined;
}

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** `404`, `5xx`, `400-499`. */
export function statusRange(text: string): StatusRange {
  const {
    of,
    from,
    to = from,
  } = /^(?:(?<of>[1-5])xx|(?<from>[1-5]\d\d)(?:-(?<to>[1-5]\d\d))?)$/i.exec(text)?.groups ?? {};
  if (of !== undefined) return { from: Number(of) * 100, to: Number(of) * 100 + 99 };
  if (from === undefined) throw new InvalidArgumentError("Give a status or several: 404, 5xx, 400-499.");
  return { from: Number(from), to: Number(to) };
}

/** Of lines of JSON. What is none, or lacks the field that is asked for, is not wanted. */
export function wantedJson({ status, route, of }: WantedLines): (line: string) => boolean {
  return (line) => {
    const record = recordIn(line);
    if (record === undefined) return false;
    if (status !== undefined && !isIn(status, record["status"])) return false;
    if (route !== undefined && record["route"] !== route) return false;
    if (of?.backend !== undefined && of.backend !== "app" && record["backend"] !== of.backend) return false;
    return of?.id === undefined || record["instance"] === of.id;
  };
}

/** Of lines as nginx writes them, which have a status and nothing else of these. */
export function wantedCombined({ status }: Pick<WantedLines, "status">): (line: string) => boolean {
  if (status === undefined) return () => true;
  return (line) => isIn(status, Number(/^\S+ \S+ \S+ \[[^\]]*\] "[^"]*" (\d{3}) /.exec(line)?.[1]));
}

function isIn({ from, to }: StatusRange, status: unknown): boolean {
  return typeof status === "number" && status >= from && status <= to;
}

function recordIn(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const record = JSON.parse(line) as unknown;
    return typeof record === "object" && record !== null ? (record as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
