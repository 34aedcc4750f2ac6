import { rangeText } from "../model/address-range.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { InheritedSockets } from "../options/inherited-sockets.ts";
import type { ServiceEnvironment } from "../systemd/service-environment.ts";
import { Descriptors } from "../upgrade/descriptors.ts";
import { type Estate, estateVersion, type HandedListener } from "../upgrade/estate.ts";
import type { ClusterAdmin } from "./cluster-admin.ts";
import type { ClusterControl } from "./cluster-control.ts";
import type { Denials } from "./denials.ts";
import type { Groups } from "./groups.ts";
import type { OptionsInForce } from "./options-in-force.ts";
import type { OpenListener } from "./public-listeners.ts";
import type { Replaceable } from "./replaceable.ts";
import type { Traffic } from "./traffic.ts";

export interface EstateParts {
  readonly settings: ClusterSettings;
  readonly secret: string;
  readonly traffic: Traffic;
  readonly listeners: readonly OpenListener[];
  readonly groups: Groups;
  readonly admin: ClusterAdmin;
  readonly control: ClusterControl;
  readonly denials: Denials;
  readonly inForce: OptionsInForce;
  readonly inherited: InheritedSockets;
  readonly service: ServiceEnvironment | undefined;
  readonly replaceable: Replaceable | undefined;
}

/** What this primary leaves to the next, and how the descriptors among it get there. */
export async function collectEstate(
  parts: EstateParts,
): Promise<{ readonly estate: Estate; readonly descriptors: Descriptors }> {
  const { settings, secret, traffic, groups, admin, control, denials, inherited, service, replaceable } = parts;
  const { descriptors: ofListeners, ticketKeys } = await traffic.estate();
  const { listeners } = settings.front;
  const written = listeners.flatMap(({ place }) => (place.kind === "fd" ? [place.fd] : []));
  const ofSystemd = inherited.kind === "ours" ? inherited.sockets.map(({ fd }) => fd) : [];
  const descriptors = new Descriptors([...new Set([...ofSystemd, ...written])]);
  const handed = listeners.flatMap(({ place }, at): HandedListener[] => {
    const fd = ofListeners[at] ?? null;
    if (fd === null) return [];
    return [{ place, socket: { fd: descriptors.give(fd), address: parts.listeners[at]!.address } }];
  });
  const seen = admin.estate;
  const { secrets, socket } = seen ?? {};
  descriptors.give("ipc");
  // The next one has options of its own.
  const ofOptions = new Set(parts.inForce.settings.front.denyList.map(rangeText));
  const estate: Estate = {
    version: estateVersion,
    name: control.name ?? settings.name,
    pid: process.pid,
    secret,
    ticketKeys,
    listeners: handed,
    admin:
      settings.admin === false || secrets === undefined || socket === undefined
        ? null
        : { place: settings.admin.place, secrets, socket: { ...socket, fd: descriptors.give(socket.fd) } },
    sharedPorts: groups.sharedPorts.map((one) => ({ ...one, fd: descriptors.give(one.fd) })),
    inherited,
    service: service ?? null,
    denied: denials.all.filter(({ range, leftMs }) => leftMs !== null || !ofOptions.has(range)),
    groups: groups.sizes,
    lifeline: lifeline(replaceable, descriptors),
  };
  return { estate, descriptors };
}

/** The one that this process has inherited, or, where somebody waits for this process, a new one. */
function lifeline(replaceable: Replaceable | undefined, descriptors: Descriptors): number | null {
  const inherited = replaceable?.predecessor?.estate.lifeline ?? null;
  if (inherited !== null) return descriptors.give(inherited);
  return replaceable?.staysBehind === true ? descriptors.give("pipe") : null;
}
