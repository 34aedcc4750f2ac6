/** A health check that came to the public port. */
export interface HealthCheck {
  /** As requested, without the query. */
  readonly path: string;
  readonly clientAddress: string;
  /** Somebody who is not trusted says that the request was forwarded: the address may be that of a proxy. */
  readonly indirect: boolean;
}

export interface HealthAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/** Fields by which a proxy says that it is one. */
export const forwardingFields = ["forwarded", "x-forwarded-for", "x-real-ip", "via"] as const;

/** The path of a request target. */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}
