import type { Answer } from "./answers.ts";

export type Mode = "proxy" | "handoff";

/** What is asked of a program. Its answer is to be the same bytes under `lb start` as under `node`. */
export interface Ask {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Where a program that runs can be reached, for what is more than requests and answers. */
export interface Reached {
  readonly port: number;
  /** `http://127.0.0.1:<port>`; `https` if the program speaks TLS and is reached so. */
  readonly url: string;
  /** Loads a module of the program's own installation, such as the client of its protocol. */
  readonly load: (name: string) => Promise<Record<string, unknown>>;
  readonly ask: (ask: Ask) => Promise<Answer>;
}

export interface BackingService {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** One program of the gauntlet: what it is made of, how it is started, what it is asked. */
export interface App {
  /** As people know it. */
  readonly title: string;
  /** From npm, with their exact versions. */
  readonly packages: Readonly<Record<string, string>>;
  /** `"shared"`: beside other small programs in one installation; `"own"`: what needs its own manifest, or is large. */
  readonly install: "shared" | "own";
  /** More of its `package.json`. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** More lines of its `pnpm-workspace.yaml`: overrides, and whose install scripts run. */
  readonly workspace?: readonly string[];
  /** Each is run with Node in the program's folder, once after the installation. */
  readonly build?: readonly (readonly string[])[];
  /** The file that is started, in its folder. */
  readonly entry: string;
  /** `{port}` becomes the public port. */
  readonly args?: readonly string[];
  /** Where they have to be others under `lb start`; `{other}` becomes a port that is free. */
  readonly lbArgs?: readonly string[];
  /** Of Node itself, or of `lb start` by way of NODE_OPTIONS. */
  readonly nodeOptions?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program has its port in its code; it is the public port too. */
  readonly fixedPort?: number;
  /** Fixed ports that it listens on besides; under `lb start` they are to answer as well. */
  readonly otherPorts?: readonly number[];
  /** More flags of `lb start`, as its documentation tells users of such a program to give. */
  readonly flags?: readonly string[];
  /** Files and folders that are as they were in the beginning before each start. */
  readonly fresh?: readonly string[];
  /** How it is asked when it runs by itself; under `lb start` the public port speaks HTTP. */
  readonly plainScheme?: "https";
  readonly requests: readonly Ask[];
  /** What may differ from answer to answer, in header values and bodies. */
  readonly volatile?: readonly RegExp[];
  /** Cookies are kept from one request to the next. */
  readonly cookies?: boolean;
  /** A conversation by another protocol. What it resolves with is compared as the answers are. */
  readonly probe?: (reached: Reached) => Promise<unknown>;
  /** It listens before it can answer: it is ready when this path is answered with 200. */
  readonly readyPath?: string;
  /** What the load asks for; the first request unless it says so. */
  readonly loadPath?: string;
  readonly service?: (folder: string) => Promise<BackingService>;
  /** It is one of the quick third, tried in this mode there. */
  readonly quick?: Mode;
  /** What a user of this program has to know. */
  readonly note?: string;
  /** What does not work, by design or as yet, and why. The checks that it names may fail. */
  readonly known?: readonly Known[];
}

export interface Known {
  readonly check: CheckName;
  readonly modes: readonly Mode[];
  readonly why: string;
}

export type CheckName =
  | "starts"
  | "answers"
  | "conversation"
  | "instances"
  | "loopback"
  | "kill"
  | "reload"
  | "stop"
  | "nothing left";
