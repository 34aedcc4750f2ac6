import type { ClusterStatus, InstanceStatus } from "./status.ts";

/** An instance, and what it is called. */
export interface NamedInstance {
  /** As in commands and in front of what it writes: `"2"`, or `"py:2"`. */
  readonly name: string;
  /** Whose program it is; undefined: it is the app's. */
  readonly backend: string | undefined;
  readonly status: InstanceStatus;
}

/** `backend`: whose program it is; undefined: it is the app's. */
export function instanceName(id: number, backend: string | undefined): string {
  return backend === undefined ? String(id) : `${backend}:${id}`;
}

/** All instances that there are: the app's, and those of the programs beside it. */
export function allInstances({ instances, backends }: Pick<ClusterStatus, "instances" | "backends">): NamedInstance[] {
  const named = (some: readonly InstanceStatus[], backend?: string) =>
    some.map((status) => ({ name: instanceName(status.id, backend), backend, status }));
  return [...named(instances), ...backends.flatMap(({ name, instances: theirs }) => named(theirs, name))];
}

/** How many are ready, of how many that are to be: who has done its work is not. */
export function readiness(status: Pick<ClusterStatus, "instances" | "backends">): string {
  const all = allInstances(status).filter(({ status: { state } }) => state !== "done");
  return `${all.filter(({ status: { state } }) => state === "ready").length} of ${all.length}`;
}
