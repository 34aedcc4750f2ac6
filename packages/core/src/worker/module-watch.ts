import { subscribe } from "node:diagnostics_channel";
import { createRequire } from "node:module";

/** A CommonJS module that is looked out for. */
export interface WatchedModule {
  /** What others ask for it by. */
  readonly name: string;
  /** Its file, with `/` between its folders: how it is known where an ES module imported it. */
  readonly file: RegExp;
  /** Called with what it exports whenever somebody has asked for it, so again and again; `by` is whose `require` did. */
  readonly loaded: (exports: unknown, by: string | undefined) => void;
}

/** Node publishes here each `require`, those of its own included by which ES modules get CommonJS ones, once it is done. */
const requireChannel = "tracing:module.require:end";

/**
 * Notices modules that the app loads, before it can use them, and those that it has loaded already. Nothing is changed in
 * how modules are loaded, and a `require` of another module costs two comparisons. What is bundled into the app is not seen.
 */
export function watchModules(watched: readonly WatchedModule[]): void {
  subscribe(requireChannel, (message) => {
    const { id, parentFilename, result } = message as Required;
    for (const { name, file, loaded } of watched) {
      if (id === name) loaded(result, parentFilename);
      else if (typeof id === "string" && id.endsWith(".js") && file.test(slashed(id))) loaded(result, undefined);
    }
  });
  const { cache } = createRequire(process.execPath);
  for (const [filename, module] of Object.entries(cache)) {
    for (const { file, loaded } of watched) {
      if (module?.loaded === true && file.test(slashed(filename))) loaded(module.exports, undefined);
    }
  }
}

interface Required {
  readonly id: unknown;
  readonly parentFilename?: string;
  readonly result?: unknown;
}

function slashed(path: string): string {
  return path.replaceAll("\\", "/");
}
