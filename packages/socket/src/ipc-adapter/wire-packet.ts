/** A packet as it travels to clients: text, and the binary parts that it refers to. */
export type Wire = readonly (string | Buffer)[];

/** What adapters are given by Socket.IO, as far as it is looked at here. */
export interface Packet {
  type: number;
  nsp?: string;
  data: unknown[];
  id?: number;
}

export interface Encoder {
  encode(packet: Packet): (string | Buffer)[];
}

interface Decoder {
  on(event: "decoded", listener: (packet: Packet) => void): unknown;
  add(part: string | Buffer): void;
  destroy(): void;
}

/** The parser of a Socket.IO server: its own, or the one given as the option `parser`. */
export interface Parser {
  readonly Decoder: new () => Decoder;
}

/** The type of an event in the Socket.IO protocol. */
export const eventType = 2;

/**
 * A packet that an instance gets from another one: encoded once, by the sender, and passed on to clients as it is. It is
 * decoded for those alone who look into it, such as `socket.onAnyOutgoing()`.
 */
export class WirePacket implements Packet {
  readonly type = eventType;
  nsp?: string;
  readonly wire: Wire;
  readonly #parser: Parser;
  #data: unknown[] | undefined;

  /** `data`: what is in it, where that is known. */
  constructor(wire: Wire, parser: Parser, data?: unknown[]) {
    this.wire = wire;
    this.#parser = parser;
    this.#data = data;
  }

  get data(): unknown[] {
    this.#data ??= decodeWire(this.wire, this.#parser).data;
    return this.#data;
  }
}

/** Has packets that are encoded already pass through the base class as they are. */
export class WireEncoder implements Encoder {
  readonly #inner: Encoder;

  constructor(inner: Encoder) {
    this.#inner = inner;
  }

  encode(packet: Packet): (string | Buffer)[] {
    return packet instanceof WirePacket ? [...packet.wire] : this.#inner.encode(packet);
  }
}

/** @throws Error when it is no packet of that parser's */
export function decodeWire(wire: Wire, parser: Parser): Packet {
  const decoder = new parser.Decoder();
  let decoded: Packet | undefined;
  decoder.on("decoded", (packet) => {
    decoded = packet;
  });
  for (const part of wire) decoder.add(part);
  decoder.destroy();
  if (decoded === undefined) throw new Error("A packet from another instance is not complete.");
  return decoded;
}

/**
 * Puts an offset behind the last argument, where clients look for it. `text` is an event of Socket.IO's own parser, which
 * ends with its arguments as a JSON array of one or more.
 */
export function withOffset(text: string, offset: string): string {
  return `${text.slice(0, -1)},"${offset}"]`;
}
