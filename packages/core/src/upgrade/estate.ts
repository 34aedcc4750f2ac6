import type { AdminEstate } from "../admin/admin-server.ts";
import type { DeniedRange } from "../control/denied-range.ts";
import type { HandedSocket } from "../model/handed-socket.ts";
import type { AdminSettings } from "../options/admin-options.ts";
import type { InheritedSockets } from "../options/inherited-sockets.ts";
import type { ListenerSettings, ListenPlace } from "../options/listener-settings.ts";
import type { HandedPort } from "../supervisor/shared-ports.ts";
import type { ServiceEnvironment } from "../systemd/service-environment.ts";

/** Raised when what one primary leaves to another changes its meaning: versions of lb that have not the same cannot follow each other. */
export const estateVersion = 1;

/**
 * What one primary leaves to the one that takes its place. Secret: it has what cookies and tickets are signed with, and goes from process
 * to process by a channel of theirs. Descriptors are numbers in the process that gets it.
 */
export interface Estate {
  readonly version: number;
  /** As what the cluster is listed, by the process that has it. */
  readonly name: string;
  readonly pid: number;
  /** Signs what affinities give clients. */
  readonly secret: string;
  readonly ticketKeys: readonly string[];
  readonly listeners: readonly HandedListener[];
  readonly admin: HandedAdmin | null;
  /** Ports that instances share. */
  readonly sharedPorts: readonly HandedSharedPort[];
  /** What systemd has opened: by the same numbers. */
  readonly inherited: InheritedSockets;
  /** Whom to tell how the service is. */
  readonly service: ServiceEnvironment | null;
  /** Who is kept out by operators. */
  readonly denied: readonly DeniedRange[];
  readonly groups: readonly GroupSize[];
  /** Somebody waits at the other end for whoever has the cluster, and ends when that does; `null`: nobody. */
  readonly lifeline: number | null;
}

/** A public listener: `place` is what the settings of the other process call it. */
export interface HandedListener {
  readonly place: ListenPlace;
  readonly socket: HandedSocket;
}

export interface HandedAdmin extends AdminEstate {
  readonly place: AdminSettings["place"];
}

export interface HandedSharedPort extends HandedPort {
  /** Whose instances; `null`: the app's. */
  readonly backend: string | null;
}

/** How many instances a group has, and was to have by the settings. */
export interface GroupSize {
  readonly backend: string | null;
  readonly configured: number;
  readonly size: number;
}

/** Those listeners that are open already get what was handed over: those at the very same place, each once. */
export function withHanded(
  listeners: readonly ListenerSettings[],
  handed: readonly HandedListener[],
): readonly ListenerSettings[] {
  const left = [...handed];
  return listeners.map((listener) => {
    const at = left.findIndex(({ place }) => isSame(place, listener.place));
    if (at < 0) return listener;
    const [found] = left.splice(at, 1);
    return { ...listener, handed: found!.socket };
  });
}

/** What is handed over for the admin listener, if that is where it was. */
export function handedAdmin(settings: AdminSettings | false, handed: HandedAdmin | null): AdminEstate | undefined {
  if (settings === false || handed === null || !isSame(settings.place, handed.place)) return undefined;
  return handed;
}

/**
 * How many instances there are to be: as many as there were, where the settings say what they said. What an operator, or the load, made
 * of it goes on.
 */
export function goingOn(
  { backend, instances }: { readonly backend: string | undefined; readonly instances: number },
  groups: readonly GroupSize[],
): number {
  const before = groups.find((one) => one.backend === (backend ?? null));
  return before?.configured === instances ? before.size : instances;
}

/** Of plain data that was made by the same lines, perhaps of another version. */
function isSame(one: object, other: object): boolean {
  const sorted = (value: object) => JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  return sorted(one) === sorted(other);
}
