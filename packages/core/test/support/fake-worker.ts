import type { Announcement } from "../../src/ipc/messages.ts";
import type { WorkerExit, WorkerObserver, WorkerProcess, WorkerStart } from "../../src/supervisor/worker-contract.ts";

/** A worker without a process: the test says what happens to it and reads what was asked of it. */
export class FakeWorker implements WorkerProcess {
  readonly asked: string[] = [];
  /** Who takes traffic, as it was told last. */
  peers: readonly string[] = [];
  readonly child = undefined;
  readonly pid: number;
  readonly start: Pick<WorkerStart, "endpoint" | "port" | "edition">;
  readonly observer: WorkerObserver;

  constructor(pid: number, start: FakeWorker["start"], observer: WorkerObserver) {
    this.pid = pid;
    this.start = start;
    this.observer = observer;
  }

  drain(graceMs: number): void {
    this.asked.push(`drain ${graceMs}`);
  }

  openPort(port: number): void {
    this.asked.push(`open ${port}`);
  }

  tell(announcement: Announcement): void {
    if (announcement.type === "peers") this.peers = announcement.taking.map(({ endpointId }) => endpointId);
  }

  send(): boolean {
    return true;
  }

  async profile(): Promise<{ readonly bytes: number; readonly blockedMs: number }> {
    return { bytes: 0, blockedMs: 0 };
  }

  signal(signal: NodeJS.Signals): boolean {
    this.asked.push(signal);
    return true;
  }

  terminate(): void {
    this.asked.push("terminate");
  }

  kill(): void {
    this.asked.push("kill");
  }

  ready(): void {
    this.observer.workerReady("link");
  }

  /** As the process does it: the channel goes first. */
  exit(exit: Partial<WorkerExit> = {}): void {
    this.observer.workerDetached();
    this.observer.workerExited({ exitCode: null, signal: null, spawnError: undefined, ...exit });
  }
}
