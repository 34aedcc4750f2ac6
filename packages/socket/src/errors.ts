import { LbError } from "@lb/core";

/** An option needs a package that is not installed. */
export class MissingPackageError extends LbError {
  /** The package to install. */
  readonly packageName: string;

  constructor(packageName: string, options?: ErrorOptions) {
    super("LB_MISSING_PACKAGE", `This needs the package ${packageName}: npm install ${packageName}`, options);
    this.packageName = packageName;
  }
}
