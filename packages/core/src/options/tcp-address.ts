import * as v from "valibot";

export const hostName = v.pipe(
  v.string("give an address or a host name"),
  v.regex(/^[\w.:%-]+$/, 'give an address or a host name alone, e.g. "0.0.0.0"'),
);

export const maxPort = 65_535;

/** Hosts that may be named, in lower case. */
export const hosts = v.pipe(
  v.array(
    v.pipe(
      v.string("give a host"),
      v.regex(/^(\[[0-9a-fA-F:.]+\]|[\w.-]+)$/, 'give a host without scheme, port and path, e.g. "app.example"'),
    ),
  ),
  v.transform((list): ReadonlySet<string> => new Set(list.map((host) => host.toLowerCase()))),
);
