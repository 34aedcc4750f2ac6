import type { Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { GatewayError } from "../errors.ts";

interface Coding {
  readonly decode: (bytes: Buffer, maxBytes: number) => Promise<Buffer>;
  readonly encode: (bytes: Buffer) => Promise<Buffer>;
  readonly decoder: () => Duplex;
  readonly encoder: () => Duplex;
}

/** The default of Brotli is made for files that are compressed once: fifty times as slow for a tenth less. */
const brotli: zlib.BrotliOptions = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };

const [gunzip, inflate, brotliDecompress, zstdDecompress] = [
  promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip),
  promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.inflate),
  promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress),
  promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress),
];

const gzip: Coding = {
  decode: (bytes, maxOutputLength) => gunzip(bytes, { maxOutputLength }),
  encode: promisify<Buffer, Buffer>(zlib.gzip),
  decoder: () => zlib.createGunzip(),
  encoder: () => zlib.createGzip(),
};

/** By the names that Content-Encoding has (RFC 9110 §8.4.1, RFC 7932, RFC 8878). */
const codings: Readonly<Record<string, Coding>> = {
  gzip,
  "x-gzip": gzip,
  deflate: {
    decode: (bytes, maxOutputLength) => inflate(bytes, { maxOutputLength }),
    encode: promisify<Buffer, Buffer>(zlib.deflate),
    decoder: () => zlib.createInflate(),
    encoder: () => zlib.createDeflate(),
  },
  br: {
    decode: (bytes, maxOutputLength) => brotliDecompress(bytes, { maxOutputLength }),
    encode: (bytes) => promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress)(bytes, brotli),
    decoder: () => zlib.createBrotliDecompress(),
    encoder: () => zlib.createBrotliCompress(brotli),
  },
  zstd: {
    decode: (bytes, maxOutputLength) => zstdDecompress(bytes, { maxOutputLength }),
    encode: promisify<Buffer, Buffer>(zlib.zstdCompress),
    decoder: () => zlib.createZstdDecompress(),
    encoder: () => zlib.createZstdCompress(),
  },
};

/** The codings of a body, in the order in which they were applied. */
export class ContentCoding {
  readonly #codings: readonly Coding[];

  /** @throws GatewayError `LB_UPSTREAM_INVALID` for a coding that is not known */
  constructor(contentEncoding: string | undefined) {
    const names = (contentEncoding ?? "").split(",").map((name) => name.trim().toLowerCase());
    this.#codings = names.filter((name) => name !== "" && name !== "identity").map(codingOf);
  }

  /** @throws when it is not what it is said to be, or more than `maxBytes` (BAD-INPUTS 80) */
  async decode(bytes: Buffer, maxBytes: number): Promise<Buffer> {
    let decoded = bytes;
    // A body without bytes, as that of a HEAD is, has nothing to decode.
    for (const coding of bytes.length === 0 ? [] : this.#codings.toReversed())
      decoded = await coding.decode(decoded, maxBytes);
    return decoded;
  }

  async encode(bytes: Buffer): Promise<Buffer> {
    let encoded = bytes;
    for (const coding of this.#codings) encoded = await coding.encode(encoded);
    return encoded;
  }

  decoded(stream: Readable): Readable {
    return through(
      stream,
      this.#codings.toReversed().map((coding) => coding.decoder()),
    );
  }

  encoded(stream: Readable): Readable {
    return through(
      stream,
      this.#codings.map((coding) => coding.encoder()),
    );
  }
}

function codingOf(name: string): Coding {
  if (Object.hasOwn(codings, name)) return codings[name]!;
  throw new GatewayError(
    "LB_UPSTREAM_INVALID",
    `The body has the content coding ${JSON.stringify(name)}, which is not known`,
  );
}

/** Whoever reads the last one sees what failed in any of them. */
function through(stream: Readable, steps: readonly Duplex[]): Readable {
  const last = steps.at(-1);
  if (last === undefined) return stream;
  pipeline([stream, ...steps], () => {});
  return last;
}
