import { LbError } from "./errors.ts";

/** An instance could not be started. `code` says why; `cause`, where there is one, is the error inside the worker. */
export class StartError extends LbError {
  /** The app's `INSTANCE_ID`, 1…N. */
  readonly instance: number;

  constructor(instance: number, code: string, message: string, cause?: Error) {
    super(code, message, cause && { cause });
    this.instance = instance;
    // Where it was made is in our own code and says nothing; where the app threw is in the cause.
    this.stack = `${this.name}: ${message}`;
  }
}
