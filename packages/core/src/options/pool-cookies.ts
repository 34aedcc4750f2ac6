import type { AffinitySettings } from "./affinity-options.ts";

/** What the option's default is: of two pools with it, each would take the other's cookie for its own. */
const commonName = "lb";

/** Cookies name endpoints of one pool: where nobody chose the name, those of a backend have one of their own. */
export function cookiesOf(pool: string, affinity: AffinitySettings): AffinitySettings {
  if (pool === "app") return affinity;
  return affinity.map((rule) =>
    rule.kind === "cookie" && rule.name === commonName ? { ...rule, name: `${commonName}-${pool}` } : rule,
  ) as unknown as AffinitySettings;
}
