// Preloaded into the Node processes that a program under `lb start` starts. An app that runs in one of them listens on its
// instance's own port, wherever it means to listen, and everything else stays on loopback too.
import cluster from "node:cluster";
import { childPlaces } from "./child-places.ts";
import { interceptListen } from "./intercept-listen.ts";
import { readListenCall } from "./listen-arguments.ts";
import { showAddress, shownAddress } from "./shown-address.ts";

const places = childPlaces(process.env);
// A worker of `node:cluster` has its ports opened by the process that started it, over the channel to that.
const isClusterWorker = process.channel !== undefined && cluster.isWorker;

if (places !== undefined && !isClusterWorker) {
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
