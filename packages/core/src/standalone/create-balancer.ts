import type { CreateBalancerOptions } from "./balancer-options.ts";
import { UrlBalancer } from "./url-balancer.ts";

/**
 * The balancer alone, for use in a proxy or client of your own: it chooses where each request goes and learns from what
 * became of it; connections are yours. It reads no socket but those of its health checks, and holds no process.
 *
 * ```js
 * const balancer = createBalancer({ endpoints: ["http://10.0.0.1:3000", "http://10.0.0.2:3000"] });
 * const lease = balancer.acquire(requestViewOf(request));
 * // … send the request to lease.url, then
 * lease.release({ kind: "response", status: response.status });
 * ```
 *
 * @throws OptionError for the first option that cannot be used
 */
export function createBalancer(options: CreateBalancerOptions): UrlBalancer {
  return new UrlBalancer(options);
}
