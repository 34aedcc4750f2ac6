import type { Duplex } from "node:stream";
import type { Predecessor } from "../upgrade/predecessor.ts";
import type { Launch } from "../upgrade/successor.ts";

/** A primary that another one may take the place of: whoever has started it knows how. */
export interface Replaceable {
  /** In whose place this one is; undefined: in nobody's. */
  readonly predecessor: Predecessor | undefined;
  /** How another one is started, as of now. */
  readonly launch: () => Launch;
  /** Somebody waits for this process to end, and is not to notice that another one has the cluster. */
  readonly staysBehind: boolean;
  /** This process has the cluster no more. `lifeline`: where the one says how it gets on for which this process stays behind. */
  readonly succeeded: (pid: number, lifeline: Duplex | undefined) => void;
}
