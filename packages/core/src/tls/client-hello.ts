/** What a client says first, as far as it is asked for here. */
export interface ClientHello {
  /** The host that it names. */
  readonly serverName: string | undefined;
  /** The protocols that it offers to speak behind the handshake (ALPN). */
  readonly protocols: readonly string[];
}

/**
 * - `partial`: it goes on;
 * - `invalid`: it is none, or has no end within {@link maxHelloBytes}: whoever makes the handshake says what is wrong.
 */
export type ReadHello =
  | { readonly kind: "hello"; readonly hello: ClientHello }
  | { readonly kind: "partial" | "invalid" };

/** With the keys of today's key agreements it is 2 KB; TLS allows a record of 16 KB. */
export const maxHelloBytes = 16_384;

/** Reads the ClientHello at the beginning of a connection (RFC 8446 §4.1.2), which may come in several records. */
export function readClientHello(bytes: Buffer): ReadHello {
  const message: Buffer[] = [];
  let gathered = 0;
  for (let at = 0; ; ) {
    if (bytes.length < at + 5) return endOf(bytes);
    const length = bytes.readUInt16BE(at + 3);
    // A handshake, of any version of TLS.
    if (bytes[at] !== 22 || bytes[at + 1] !== 3 || length === 0) return { kind: "invalid" };
    const record = bytes.subarray(at + 5, at + 5 + length);
    message.push(record);
    gathered += record.length;
    const whole = message.length === 1 ? record : Buffer.concat(message);
    if (whole.length >= 4) {
      if (whole[0] !== 1) return { kind: "invalid" };
      const wanted = 4 + whole.readUIntBE(1, 3);
      if (wanted > maxHelloBytes) return { kind: "invalid" };
      if (gathered >= wanted) return parsed(whole.subarray(4, wanted));
    }
    if (record.length < length) return endOf(bytes);
    at += 5 + length;
  }
}

function endOf({ length }: Buffer): ReadHello {
  return { kind: length > maxHelloBytes ? "invalid" : "partial" };
}

function parsed(body: Buffer): ReadHello {
  try {
    return { kind: "hello", hello: helloIn(body) };
  } catch {
    return { kind: "invalid" };
  }
}

/** @throws RangeError where it ends too early */
function helloIn(body: Buffer): ClientHello {
  // Version, random; then the session's id, the cipher suites and the methods of compression, each with its length.
  let at = 2 + 32;
  at += 1 + body.readUInt8(at);
  at += 2 + body.readUInt16BE(at);
  at += 1 + body.readUInt8(at);
  let serverName: string | undefined;
  let protocols: readonly string[] = [];
  if (at === body.length) return { serverName, protocols };
  const end = at + 2 + body.readUInt16BE(at);
  for (at += 2; at < end; ) {
    const [kind, length] = [body.readUInt16BE(at), body.readUInt16BE(at + 2)];
    const content = body.subarray(at + 4, at + 4 + length);
    if (kind === 0) serverName = serverNameIn(content);
    if (kind === 16) protocols = [...protocolsIn(content)];
    at += 4 + length;
  }
  return { serverName, protocols };
}

/** RFC 6066 §3; there is no other kind of name than hosts. */
function serverNameIn(content: Buffer): string | undefined {
  if (content.readUInt8(2) !== 0) return undefined;
  const length = content.readUInt16BE(3);
  return content.toString("latin1", 5, 5 + length).toLowerCase();
}

/** RFC 7301 §3.1. */
function* protocolsIn(content: Buffer): Generator<string> {
  for (let at = 2; at < content.length; ) {
    const length = content.readUInt8(at);
    yield content.toString("latin1", at + 1, at + 1 + length);
    at += 1 + length;
  }
}
