// The package is the folder `src` of Etherpad's repository. This makes of it what its own installer makes: that folder,
// and a link to it in node_modules.
import { lstatSync, renameSync, rmSync, symlinkSync } from "node:fs";

const installed = "node_modules/ep_etherpad-lite";
if (!lstatSync(installed).isSymbolicLink()) {
  rmSync("src", { recursive: true, force: true });
  renameSync(installed, "src");
  symlinkSync("../src", installed);
}
// The npm 6 that it brings along takes a node_modules made by pnpm for a broken one; the machine's own does not.
rmSync("node_modules/.bin/npm", { force: true });
