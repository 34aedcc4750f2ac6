import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { OptionError } from "../model/errors.ts";
import type { AcmePackage } from "./certificate-keeper.ts";

const packageName = "@lb/acme";

/** As the app would find it, or else the `lb` command. @throws OptionError if it is not installed */
export function loadAcmePackage(domains: readonly string[]): AcmePackage {
  const program = process.argv[1];
  const places = [join(process.cwd(), "_"), ...(program === undefined ? [] : [program, realpathSync(program)])];
  for (const place of places) {
    const require = createRequire(place);
    let filename: string;
    try {
      filename = require.resolve(packageName);
    } catch {
      continue;
    }
    return require(filename) as AcmePackage;
  }
  const remedy = `the package ${packageName} asks for certificates: install it beside @lb/core (npm install ${packageName})`;
  throw new OptionError("https.acme", domains.join(","), remedy);
}
