/** A request for a file, as whoever has routed it hands it over. */
export interface FileRequest {
  readonly method: string;
  /** As the client sent it, with the query: where a redirect is relative to. */
  readonly target: string;
  /** The same object for requests whose header fields are the same. */
  readonly fields: object;
  /** Several lines of a name are joined. */
  header(lowerName: string): string | undefined;
}

/** The bytes `[start, end)` of an open file. */
export interface FileSlice {
  readonly file: OpenFile;
  readonly start: number;
  readonly end: number;
}

/** A file whose descriptor is shared by all who read it. */
export interface OpenFile {
  /** It has to stay open until {@link release}. */
  retain(): void;
  release(): void;
  /** It was found changed. */
  readonly changed: boolean;
  /**
   * Reads into `buffer` from its beginning, `length` bytes at most. Rejects if the file is not any more what it was when it was
   * opened: what comes then would be of another version.
   */
  read(buffer: Buffer, position: number, length: number): Promise<number>;
}

export interface FileAnswer {
  readonly status: number;
  /** Name, value, name, value …; without Date, Content-Length and Connection, which are the connection's. */
  readonly fields: readonly string[];
  /** What the body would have for a GET. Undefined: no length is told, as with 304. */
  readonly length: number | undefined;
  /** In this order; none for HEAD. Whoever sends slices retains and releases their files. */
  readonly body: readonly (Buffer | FileSlice)[];
}
