import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** A package that not everybody needs, as the app would find it, or else the `lb` command. Undefined: it is not installed. */
export function optionalPackage(name: string): unknown {
  const program = process.argv[1];
  const places = [join(process.cwd(), "_"), ...(program === undefined ? [] : [program, realpathSync(program)])];
  for (const place of places) {
    const require = createRequire(place);
    let filename: string;
    try {
      filename = require.resolve(name);
    } catch {
      continue;
    }
    return require(filename);
  }
  return undefined;
}
