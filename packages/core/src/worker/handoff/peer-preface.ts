import { isIP } from "node:net";

/** What one worker says first on a connection to another: whose client it relays. */
export interface PeerPreface {
  /** `""`: it has none, as it came by a Unix socket. */
  readonly address: string;
  readonly port: number;
  readonly encrypted: boolean;
}

/** Longest preface, its line feed included. */
export const maxPrefaceBytes = 96;

/** As HAProxy's PROXY protocol does it, one line of text: `LB1 <address> <port> <0 or 1>`, with `-` for no address. */
export function writePreface({ address, port, encrypted }: PeerPreface): string {
  return `LB1 ${address === "" ? "-" : address} ${port} ${encrypted ? 1 : 0}\n`;
}

/** `line` without its line feed; undefined: it is none. */
export function readPreface(line: string): PeerPreface | undefined {
  const [, address, port, encrypted] = /^LB1 (-|[0-9a-fA-F:.]{2,45}) (\d{1,5}) ([01])$/.exec(line) ?? [];
  if (address === undefined || Number(port) > 65_535) return undefined;
  if (address !== "-" && isIP(address) === 0) return undefined;
  return { address: address === "-" ? "" : address, port: Number(port), encrypted: encrypted === "1" };
}
