import { systemClock } from "@lb/core/kit";
import type { Adapter } from "socket.io-adapter";
import { IpcAdapter } from "./ipc-adapter.ts";
import { type IpcAdapterOptions, parseIpcAdapterOptions } from "./ipc-adapter-options.ts";
import type { AdaptedNamespace } from "./namespace.ts";

/** What `io.adapter()` and Socket.IO's option `adapter` take. */
export type AdapterConstructor = typeof Adapter;

/**
 * An adapter that connects the Socket.IO servers of all instances of a cluster through its primary, with nothing else
 * running: `io.adapter(createIpcAdapter())`. With Socket.IO's option `connectionStateRecovery`, clients whose instance was
 * killed or reloaded go on at another one, with what they missed.
 *
 * Socket.IO makes an adapter for every namespace; that throws `HubError` `LB_HUB_NO_INSTANCE` in a process that is no
 * instance.
 *
 * @throws OptionError for an option that cannot be used
 */
export function createIpcAdapter(options: IpcAdapterOptions = {}): AdapterConstructor {
  const settings = parseIpcAdapterOptions(options, systemClock);
  return class extends IpcAdapter {
    constructor(namespace: AdaptedNamespace) {
      super(namespace, settings, systemClock);
    }
  } as unknown as AdapterConstructor;
}
