import { lineStride } from "../http/field-section.ts";
import type { Rejection } from "../http/rejection.ts";
import { RequestHead, RequestHeadParser } from "../http/request-head.ts";
import type { HttpLimits } from "../options/limit-options.ts";
import type { HeaderList } from "./hpack/decoder.ts";
import { requestText } from "./request-text.ts";

/** Has the heads of one client read by the parser of HTTP/1.1: what is a request is judged in one place. */
export class RequestReader {
  readonly #parser: RequestHeadParser;
  readonly #webSocketKey: () => string;
  /** The last one that came without a body. */
  #list: HeaderList | undefined;
  #head: RequestHead | undefined;

  /** `webSocketKey`: a new one each time. */
  constructor(limits: HttpLimits, webSocketKey: () => string) {
    this.#parser = new RequestHeadParser(limits);
    this.#webSocketKey = webSocketKey;
  }

  /** `"malformed"`: it is none in HTTP/2 (RFC 9113 §8.1.1). A head may be shared by requests that say the same. */
  read(list: HeaderList, endStream: boolean): RequestHead | Rejection | "malformed" {
    // A list is the same object only where the client has sent the same octets, and what it says is all of the text then.
    if (endStream && list === this.#list) return this.#head!;
    const words = requestText(list.fields, { endStream, webSocketKey: this.#webSocketKey });
    if (words === undefined) return "malformed";
    const bytes = Buffer.from(words.text, "latin1");
    const head = this.#parser.parse(bytes, 0, bytes.length);
    if (head instanceof RequestHead) {
      // A line break in a value would have become a line of its own.
      const whole = head.byteLength === bytes.length && head.fields.section.lines.length === words.lines * lineStride;
      // A length is declared, and nothing comes.
      if (!whole || (endStream && head.framing.kind !== "none")) return "malformed";
      if (endStream) {
        this.#list = list;
        this.#head = head;
      }
      return head;
    }
    this.#parser.reset();
    return head ?? "malformed";
  }
}
