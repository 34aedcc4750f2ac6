import type { FileServer } from "../../files/file-server.ts";
import { RequestHeadParser } from "../../http/request-head.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { FileStream } from "./file-stream.ts";
import type { Transport, UpstreamClient, UpstreamSink, UpstreamStream } from "./upstream.ts";

/** What the front passes on was judged when it came. */
const limits = {
  maxHeadBytes: Number.POSITIVE_INFINITY,
  maxTargetBytes: Number.POSITIVE_INFINITY,
  maxHeaders: Number.POSITIVE_INFINITY,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  maxChunkExtensionBytes: 0,
  maxTrailerBytes: 0,
};

/** To the files of a directory, as if a server at an endpoint sent them: relay, deadlines and flow control are those of any other. */
export class FileTransport implements Transport {
  readonly endpoint: Endpoint;
  readonly #server: FileServer;
  readonly #parser = new RequestHeadParser(limits);

  constructor(endpoint: Endpoint, server: FileServer) {
    this.endpoint = endpoint;
    this.#server = server;
  }

  open(_client: UpstreamClient, sink: UpstreamSink): UpstreamStream {
    return new FileStream(this.#server, this.#parser, sink);
  }

  /** The server is whoever made it's. */
  close(): void {}
}
