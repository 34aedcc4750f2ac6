import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { App } from "./app.ts";
import type { NamedApp } from "./installation.ts";

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, "programs");

/** Where everything is installed. */
export const cache: string = join(here, ".cache");

/** All programs of the gauntlet, by name; or the quick third, with an installation of its own. */
export async function programs({ quick }: { readonly quick: boolean }): Promise<readonly NamedApp[]> {
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, "app.ts")));
  const found = await Promise.all(
    names.sort().map(async (name) => {
      const { app } = (await import(pathToFileURL(join(folder, name, "app.ts")).href)) as { app: App };
      const group = quick ? "quick" : "shared";
      const installed = app.install === "shared" ? join(cache, group, name) : join(cache, name);
      const source = join(folder, name);
      const lock = app.install === "shared" ? join(here, `${group}-lock.yaml`) : join(source, "pnpm-lock.yaml");
      return { ...app, name, source, folder: installed, lock };
    }),
  );
  return quick ? found.filter((app) => app.quick !== undefined) : found;
}
