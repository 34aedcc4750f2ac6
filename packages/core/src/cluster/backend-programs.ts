import type { ReloadSettings } from "../options/reload-options.ts";
import { isPortFree } from "../supervisor/ports.ts";
import type { ClusterPorts } from "../supervisor/supervisor.ts";
import { BackendProgram, type BackendProgramOptions } from "./backend-program.ts";

/** The programs of all named backends that have one: they start and end with the app. */
export class BackendPrograms {
  readonly #programs: readonly BackendProgram[];

  constructor(options: Omit<BackendProgramOptions, "name" | "program" | "health">) {
    const { backends } = options.settings;
    this.#programs = Object.entries(backends).flatMap(([name, { program, health }]) =>
      program === undefined ? [] : new BackendProgram({ ...options, name, program, health }),
    );
  }

  /** Resolves when all instances of all of them are ready. `app`: its ports, which are not open yet. */
  async start(app: ClusterPorts): Promise<void> {
    const taken = new Set([app.public, ...app.own]);
    const isFree = async (port: number) => !taken.has(port) && (await isPortFree(port));
    const starts: (() => Promise<void>)[] = [];
    for (const program of this.#programs) {
      const own = await program.ports(app.public, isFree);
      for (const port of own) taken.add(port);
      starts.push(() => program.start({ public: app.public, own }));
    }
    await Promise.all(starts.map((start) => start()));
  }

  /** One after the other. @throws ReloadError for the first that fails */
  async reload(settings: ReloadSettings): Promise<void> {
    for (const program of this.#programs) await program.reload(settings);
  }

  abandon(reason: Error): void {
    for (const program of this.#programs) program.abandon(reason);
  }

  announceEnd(graceMs: number): void {
    for (const program of this.#programs) program.announceEnd(graceMs);
  }

  async stop(graceMs: number): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop(graceMs)));
  }

  kill(): void {
    for (const program of this.#programs) program.kill();
  }
}
