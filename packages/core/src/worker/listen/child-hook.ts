// Preloaded into the Node processes that a program under `lb start` starts. An app that runs in one of them listens on its
// instance's own port, wherever it means to listen, and everything else stays on loopback too.
import { childPlaces } from "./child-places.ts";
import { interceptListen } from "./intercept-listen.ts";
import { readListenCall } from "./listen-arguments.ts";
import { showAddress, shownAddress } from "./shown-address.ts";

const places = childPlaces(process.env);

// In a worker of `node:cluster` too: it asks the process that started it for the port, and checks that it got that one.
if (places !== undefined) {
  const { appPorts, host, port: own } = places;
  interceptListen({
    listen(server, args, original) {
      const { asked, callback, signal } = readListenCall(args);
      if (asked.kind === "other") return original.apply(server, args as never);
      const options = signal === undefined ? { host } : { host, signal };
      if (asked.kind === "any-port") return original.call(server, { ...options, port: 0 }, callback);
      if (!appPorts.includes(asked.port)) return original.call(server, { ...options, port: asked.port }, callback);
      showAddress(server, shownAddress(asked.port, asked.host));
      return original.call(server, { ...options, port: own }, callback);
    },
  });
}
