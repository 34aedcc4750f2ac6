import type { SupervisedGroup } from "../control/status.ts";
import { isPortFree } from "../supervisor/ports.ts";
import type { ClusterPorts } from "../supervisor/supervisor.ts";
import { BackendProgram, type BackendProgramOptions } from "./backend-program.ts";
import type { GroupOperations } from "./group-operations.ts";

/** The programs of all named backends that have one: they start and end with the app. */
export class BackendPrograms {
  /** By the names of their backends. */
  readonly #programs: ReadonlyMap<string, BackendProgram>;

  constructor(options: Omit<BackendProgramOptions, "name" | "program" | "health">) {
    const { backends } = options.settings;
    const programs = Object.entries(backends).flatMap(([name, { program, health }]) =>
      program === undefined ? [] : new BackendProgram({ ...options, name, program, health }),
    );
    this.#programs = new Map(programs.map((program) => [program.name, program]));
  }

  get names(): readonly string[] {
    return [...this.#programs.keys()];
  }

  /** Undefined: there is no program of this name. */
  operations(name: string): GroupOperations | undefined {
    return this.#programs.get(name)?.operations;
  }

  /** How their instances are, by name. */
  get states(): Readonly<Record<string, SupervisedGroup>> {
    return Object.fromEntries([...this.#programs].map(([name, { state }]) => [name, state]));
  }

  /** Resolves when all instances of all of them are ready. `app`: its ports, which are not open yet. */
  async start(app: ClusterPorts): Promise<void> {
    const taken = new Set([app.public, ...app.own]);
    const isFree = async (port: number) => !taken.has(port) && (await isPortFree(port));
    const starts: (() => Promise<void>)[] = [];
    for (const program of this.#programs.values()) {
      const own = await program.ports(app.public, isFree);
      for (const port of own) taken.add(port);
      starts.push(() => program.start({ public: app.public, own }));
    }
    await Promise.all(starts.map((start) => start()));
  }

  /** All of the cluster is ready. */
  begin(): void {
    for (const program of this.#programs.values()) program.begin();
  }

  abandon(reason: Error): void {
    for (const program of this.#programs.values()) program.abandon(reason);
  }

  announceEnd(graceMs: number): void {
    for (const program of this.#programs.values()) program.announceEnd(graceMs);
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#programs.values()].map((program) => program.stop(graceMs)));
  }

  kill(): void {
    for (const program of this.#programs.values()) program.kill();
  }
}
