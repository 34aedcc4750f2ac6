import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import { type ActionArguments, type ActionName, actionArguments } from "../options/action-arguments.ts";
import { parseOptions } from "../options/validation.ts";
import type { InstanceGroup } from "./instance-group.ts";
import type { PrimaryCluster } from "./primary-cluster.ts";

/** Takes what is told of an action while it goes on: the events of a reload. */
export type Tell = (event: unknown) => void;

type Actions = {
  readonly [Name in ActionName]: (taken: ActionArguments[Name], tell: Tell, signal?: AbortSignal) => unknown;
};

/** Has one of the things done that operators can ask for. */
export interface OperatorActions {
  /** `signal`: whoever asks for it wants no more of it. @throws OptionError for arguments that are none; and what the cluster's own operation throws or rejects with. */
  run(name: ActionName, given: unknown, tell?: Tell, signal?: AbortSignal): Promise<unknown>;
}

/** What operators can have done to a cluster: the control socket and the admin listener have no other list. */
export function operatorActions(primary: PrimaryCluster): OperatorActions {
  const group = (backend = "app"): InstanceGroup => primary.backend(backend);
  const actions: Actions = {
    reload: ({ backend, options, withClient = false }, tell, signal) => {
      const one = backend === undefined ? primary : group(backend);
      const tied = withClient && signal !== undefined ? { signal } : {};
      return whileReloading(primary, { backend, tell }, () => one.reload({ ...options, ...tied }));
    },
    canary: ({ backend, ...canary }, tell) => {
      const one = backend === undefined ? primary : group(backend);
      return whileReloading(primary, { backend, tell }, () => one.reload({ canary }));
    },
    restart: ({ backend = "app", id }, tell) =>
      whileReloading(primary, { backend, tell }, () => group(backend).restart(id)),
    scale: ({ backend, instances }) => group(backend).scale(instances),
    drain: ({ backend, id }) => group(backend).drain(id),
    resume: ({ backend, id }) => group(backend).resume(id),
    signal: ({ backend, id, signal }) => group(backend).signal(signal, id),
    deny: ({ range, forMs }) => primary.deny(range, forMs === undefined ? {} : { forMs }),
    allow: ({ range }) => primary.allow(range),
    certs: () => primary.reloadCertificates(),
    "alert-test": () => primary.testAlerts(),
  };
  return {
    async run(name, given, tell = () => {}, signal) {
      const taken = parseOptions(actionArguments[name], given ?? {}) as never;
      return (await actions[name](taken, tell, signal)) ?? null;
    },
  };
}

interface Listening {
  /** Its progress alone is told; undefined: that of all. */
  readonly backend: string | undefined;
  readonly tell: Tell;
}

async function whileReloading<T>(
  primary: PrimaryCluster,
  { backend, tell }: Listening,
  operation: () => Promise<T>,
): Promise<T> {
  const told = (event: ClusterEventMap["reload"]) => {
    if (backend === undefined || backend === (event.backend ?? "app")) tell(event);
  };
  primary.on("reload", told);
  try {
    return await operation();
  } finally {
    primary.off("reload", told);
  }
}
