import type { ReloadOptions } from "../options/reload-options.ts";
import type { ReloadReport } from "./reload-report.ts";

/**
 * The instances of one program, to be operated by themselves: `"app"`, as in routes, or the name of one of several `apps`, or of a
 * backend that is run here. What its operations do, and reject with, is what those of the cluster do and reject with.
 */
export interface InstanceGroup {
  readonly name: string;
  /** Replaces all of its instances, one after the other. */
  reload(options?: ReloadOptions): Promise<ReloadReport>;
  /** The same for one instance, 1…N. */
  restart(id: number): Promise<void>;
  /** Changes the number of its instances. */
  scale(instances: number): Promise<void>;
  /** Takes an instance out of rotation, until `resume`. Resolves when what it had in flight has been answered. */
  drain(id: number): Promise<void>;
  /** Puts it back. */
  resume(id: number): void;
  /**
   * Gives its process, or that of each, a signal: `"SIGUSR2"`. What that does is the program's affair; SIGTERM has an instance drain, and
   * another start. Returns the numbers of those that have got it.
   */
  signal(signal: NodeJS.Signals, id?: number): readonly number[];
  /** Gives an app's instance a message, as `PrimaryCluster.send` does. */
  send(id: number, message: unknown): boolean;
}
