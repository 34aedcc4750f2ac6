import type { PrimaryCluster } from "../primary-cluster.ts";
import type { OutputWriter } from "./output-writer.ts";

/** Says on the terminal what becomes of a cluster. */
export function report(cluster: PrimaryCluster, writer: OutputWriter): void {
  const say = (text: string) => writer.line("stdout", text);
  const warn = (text: string) => writer.line("stderr", text);
  const { name, instances, mode } = cluster.status();
  say(`${name} listens on ${cluster.url} with ${instances.length} instance(s), ${mode} mode, pid ${process.pid}`);
  cluster.on("exit", ({ instance, reason, exitCode, signal }) => {
    if (reason !== "crashed") return;
    warn(`instance ${instance} ended (${signal ?? `exit code ${exitCode}`}) and is replaced`);
  });
  cluster.on("start-failed", ({ instance, error }) => warn(`instance ${instance} could not start: ${error.message}`));
  cluster.on("crash-loop", ({ instance, deaths, retryInMs }) => {
    const wait = `the next attempt comes in ${Math.round(retryInMs / 1_000)} s`;
    warn(`instance ${instance} died ${deaths} times in a row; ${wait}`);
  });
  cluster.on("unresponsive", ({ instance, silentMs }) =>
    warn(`instance ${instance} has been silent for ${silentMs} ms`),
  );
  cluster.on("hub-overflow", ({ instance, queuedBytes }) =>
    warn(`instance ${instance} did not read ${queuedBytes} bytes from others, and has to connect to them anew`),
  );
  cluster.on("memory-exceeded", ({ instance, rssBytes }) => {
    warn(`instance ${instance} has ${Math.round(rssBytes / 1_048_576)} MB of memory and is replaced`);
  });
  cluster.on("control-failed", ({ message }) =>
    warn(`the other commands of lb will not find this cluster: ${message}`),
  );
  cluster.on("accept-failed", ({ message }) => warn(`connections could not be accepted: ${message}`));
  cluster.on("connections-refused", ({ limit, refused }) => {
    warn(`${refused} connection(s) refused: ${limit} are open, which is the most (limits.maxConnections)`);
  });
  cluster.on("autoscale", ({ from, to, load, target, error }) => {
    const why = `${target.metric} is ${load.toFixed(2)}, to be ${target.value}`;
    if (error === undefined) say(`scaled from ${from} to ${to} instance(s): ${why}`);
    else warn(`could not scale from ${from} to ${to} instance(s) (${why}): ${error.message}`);
  });
  cluster.on("reload", ({ step, total, error }) => {
    if (step === "rolled-back") warn(error!.message);
    if (step === "finished") say(total === 1 ? "one instance was replaced" : `${total} instances were replaced`);
  });
}
