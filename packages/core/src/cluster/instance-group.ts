import type { ReloadOptions } from "../options/reload-options.ts";
import type { ReloadReport } from "./reload-report.ts";

/**
 * The instances of one program, to be operated by themselves: `"app"`, as in routes, or the name of a backend that is a program
 * here (`backends.<name>.exec`). What its operations do, and reject with, is what those of the cluster do and reject with.
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
}
