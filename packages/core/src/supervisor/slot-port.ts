import type { Incarnation, IncarnationExit } from "./incarnation.ts";

export interface SlotPortOptions {
  readonly port: number;
  /** Its workers hear what they are told; see {@link WorkerKind}. */
  readonly hears: boolean;
  /** Another primary's instance has it until then. Default: none has. */
  readonly elsewhere?: Promise<void> | undefined;
}

/** Who listens on a slot's own port: who was started there, or was told to open it. */
export class SlotPort {
  readonly #port: number;
  /** Its workers hear what they are told; see {@link WorkerKind}. */
  readonly #hears: boolean;
  #holder: Incarnation | undefined;
  /** One that cannot say why did not get ready there: what it left may still have the port. Whoever is next starts elsewhere. */
  #isDoubtful = false;
  #isElsewhere: boolean;

  constructor({ port, hears, elsewhere }: SlotPortOptions) {
    this.#port = port;
    this.#hears = hears;
    this.#isElsewhere = elsewhere !== undefined;
  }

  /** Somebody listens there, or may, so that the next worker needs another one. */
  get isHeld(): boolean {
    return this.#holder !== undefined || this.#isDoubtful || this.#isElsewhere;
  }

  launched(incarnation: Incarnation): void {
    if (incarnation.port === this.#port) this.#holder = incarnation;
  }

  exited(incarnation: Incarnation, { servedMs, reason }: Pick<IncarnationExit, "servedMs" | "reason">): void {
    if (incarnation === this.#holder) this.#holder = undefined;
    const failed = servedMs === 0 && (reason === "crashed" || reason === "start-failed");
    this.#isDoubtful = failed && incarnation.port === this.#port && !this.#hears;
  }

  /** Who had it elsewhere has left it. */
  leftTo(serving: Incarnation | undefined): void {
    this.#isElsewhere = false;
    this.claim(serving);
  }

  /** Direct access to the instance goes on where it was: whoever serves listens there too. */
  claim(serving: Incarnation | undefined): void {
    if (!this.#hears || this.#holder !== undefined || this.#isElsewhere || serving?.phase.kind !== "ready") return;
    this.#holder = serving;
    serving.openPort(this.#port);
  }
}
