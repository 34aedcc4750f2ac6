/** A health check that came to the public port. */
export interface HealthCheck {
  /** As requested, without the query. */
  readonly path: string;
  readonly clientAddress: string;
  /** Somebody who is not trusted says that the request was forwarded: the address may be that of a proxy. */
  readonly indirect: boolean;
  /** What it shows as `Authorization: Bearer …`. */
  readonly token?: string | undefined;
}

export interface HealthAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/** Fields by which a proxy says that it is one. */
export const forwardingFields = ["forwarded", "x-forwarded-for", "x-real-ip", "via"] as const;

/** The token in the value of an Authorization field (RFC 6750 §2.1), if that is what is in there. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^bearer +([^\s]{1,512})$/i.exec(authorization)?.[1];
}

/** The path of a request target. */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}
