import * as v from "valibot";

export const hostName = v.pipe(
  v.string("give an address or a host name"),
  v.regex(/^[\w.:%-]+$/, 'give an address or a host name alone, e.g. "0.0.0.0"'),
);

export const maxPort = 65_535;
