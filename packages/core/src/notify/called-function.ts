import type { AlertFunction } from "../options/alert-options.ts";
import type { Messenger } from "./messenger.ts";

/** The user's own. */
export function calledFunction(call: AlertFunction): Messenger {
  return {
    name: `function ${call.name || "(anonymous)"}`,
    send: async (message) => {
      await call(message);
    },
  };
}
