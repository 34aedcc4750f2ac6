import { OptionError } from "../model/errors.ts";
import type { AcmePackage } from "./certificate-keeper.ts";
import { optionalPackage } from "./optional-package.ts";

const packageName = "@lb/acme";

/** @throws OptionError if it is not installed */
export function loadAcmePackage(domains: readonly string[]): AcmePackage {
  const found = optionalPackage(packageName);
  if (found !== undefined) return found as AcmePackage;
  const remedy = `the package ${packageName} asks for certificates: install it beside @lb/core (npm install ${packageName})`;
  throw new OptionError("https.acme", domains.join(","), remedy);
}
