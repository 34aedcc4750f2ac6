import { LbError } from "../model/errors.ts";
import { type Estate, estateVersion } from "./estate.ts";
import { Lifeline } from "./lifeline.ts";
import { predecessorVariable, type ToPredecessor, type ToSuccessor } from "./messages.ts";

/** This process was started to take another primary's place. */
export function hasPredecessor(env: NodeJS.ProcessEnv = process.env): boolean {
  return env[predecessorVariable] === String(process.ppid) && process.send !== undefined;
}

/** This process could not do what it was started for. */
export function toldPredecessor(message: string): void {
  tell({ kind: "failed", message });
}

/** The primary in whose place this one was started. */
export class Predecessor {
  readonly estate: Estate;
  /** Resolves when it has drained, and its instances are gone. */
  readonly gone: Promise<void>;

  /**
   * Undefined: there is none. The variable is taken out of `env`: it is not for processes that this one starts.
   *
   * @throws LbError `LB_UPGRADE`
   */
  static async meet(env: NodeJS.ProcessEnv = process.env): Promise<Predecessor | undefined> {
    const isMeant = hasPredecessor(env);
    delete env[predecessorVariable];
    if (!isMeant) return undefined;
    const { estate } = await next("estate");
    if (estate.version === estateVersion) return new Predecessor(estate);
    const why = "It is of a version of lb that leaves its sockets in another way";
    throw new LbError("LB_UPGRADE", `This version cannot take over from the one that runs. ${why}: restart it.`);
  }

  private constructor(estate: Estate) {
    this.estate = estate;
    this.gone = new Promise((resolve) => {
      if (process.connected) process.once("disconnect", () => resolve());
      else resolve();
    });
  }

  get pid(): number {
    return this.estate.pid;
  }

  get hasGone(): boolean {
    return !process.connected;
  }

  /** Says something to whoever waits there. */
  said(text: string): void {
    tell({ kind: "said", text });
  }

  /** All is ready. Resolves when connections may be accepted. @throws LbError `LB_UPGRADE` if it has given this up */
  async mayAccept(): Promise<void> {
    tell({ kind: "ready" });
    await next("accept");
  }

  /** Connections are accepted. Resolves when the other one accepts no more. @throws LbError `LB_UPGRADE` */
  async leavesAlone(): Promise<void> {
    tell({ kind: "accepts" });
    await next("alone");
  }

  /** This primary is the one that is found. */
  isFound(): void {
    tell({ kind: "found" });
    if (this.estate.lifeline !== null) new Lifeline(this.estate.lifeline).hold();
  }
}

function tell(told: ToPredecessor): void {
  // It may be gone.
  if (process.connected) process.send?.(told, undefined, undefined, () => {});
}

/** What comes before somebody waits for it is kept by Node, and what is awaited keeps the process. */
function next<Kind extends ToSuccessor["kind"]>(kind: Kind): Promise<Extract<ToSuccessor, { readonly kind: Kind }>> {
  return new Promise((resolve, reject) => {
    // Nothing else may hold the process as yet; and listeners are not to hold it when nobody waits.
    process.channel?.ref();
    const settle = () => {
      process.channel?.unref();
      process.off("message", heard).off("disconnect", lost);
    };
    const heard = (message: ToSuccessor) => {
      if (message.kind !== kind) return;
      settle();
      resolve(message as Extract<ToSuccessor, { readonly kind: Kind }>);
    };
    const lost = () => {
      settle();
      reject(new LbError("LB_UPGRADE", "The primary in whose place this one was started goes on, or has ended."));
    };
    process.on("message", heard).once("disconnect", lost);
    if (!process.connected) lost();
  });
}
