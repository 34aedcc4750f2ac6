import { controlDirectory, controlPath, openControlDirectory } from "./control/control-directory.ts";
import { type ControlCommand, ControlServer } from "./control/control-server.ts";
import type { PrimaryCluster } from "./primary-cluster.ts";
import type { ReloadOptions } from "./reload-options.ts";

/** What the `lb` command can ask a primary for. */
function commandsOf(primary: PrimaryCluster): Readonly<Record<string, ControlCommand>> {
  const whileReloading = async (tell: (event: unknown) => void, operation: () => Promise<unknown>) => {
    primary.on("reload", tell);
    try {
      return await operation();
    } finally {
      primary.off("reload", tell);
    }
  };
  return {
    status: () => primary.status(),
    reload: (argument, tell) => whileReloading(tell, () => primary.reload(argument as ReloadOptions)),
    restart: (argument, tell) => whileReloading(tell, () => primary.restart(argument as number)),
    scale: (argument) => primary.scale(argument as number),
    drain: (argument) => primary.drain(argument as number),
    resume: (argument) => primary.resume(argument as number),
    // It answers before it ends, since its end takes the socket along.
    stop: () => {
      const drains = process.listenerCount("SIGTERM") > 0;
      setImmediate(() => (drains ? process.kill(process.pid, "SIGTERM") : primary.close()));
    },
  };
}

/** Opens the control socket. Rejects where that cannot be done. */
export async function openControl(name: string, primary: PrimaryCluster): Promise<ControlServer> {
  const directory = controlDirectory();
  openControlDirectory(directory);
  const server = new ControlServer(controlPath(directory, name, process.pid), commandsOf(primary));
  await server.listen();
  return server;
}
