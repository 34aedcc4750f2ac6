import { httpGet } from "./http-get.ts";
import { isByGateway } from "./http2-gateway.ts";
import type { PrimaryOptions, PrimaryProcess } from "./primary-process.ts";

/** Clusters of `fixtures/app.ts` that are ended, and how far that is. */
export function clustersToEnd(mode: "proxy" | "handoff") {
  const withOptions = (options: object): PrimaryOptions => ({
    env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 2, ...options }) },
  });

  /** Until the front has this many requests open. */
  const inFlight = (primary: PrimaryProcess, count: number) =>
    primary.statusThat(
      ({ instances }) => instances.reduce((total, instance) => total + instance.inFlight, 0) === count,
    );

  const becomes = (url: string) =>
    httpGet(url).then(
      (answer) => (isByGateway(answer) ? "cut" : "answered"),
      () => "cut",
    );

  /** Has this instance start a process that does not end by SIGTERM. */
  const helperOf = async ({ port }: { readonly port: number }) =>
    Number((await httpGet(`http://127.0.0.1:${port}/helper`)).body);

  return { withOptions, inFlight, becomes, helperOf };
}
