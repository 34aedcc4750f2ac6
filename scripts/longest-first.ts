// In which order the files of tests run. Vitest takes those first that are long as text, where it knows nothing of them, as on
// a machine that is fresh; a short file that takes long would be the last then, with all other processors idle.
import { existsSync } from "node:fs";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const root = new URL("..", import.meta.url);

/** What takes 20 s or more, the longest first. */
const long = [
  "scripts/test/chaos",
  "compat/test/gauntlet",
  "packages/core/test/cli-deploy",
  "packages/core/test/listen",
  "packages/core/test/reload-failures",
  "packages/core/test/cli",
  "packages/core/test/backend-programs",
  "packages/dashboard/test/dashboard",
  "packages/core/test/cluster-admin",
  "packages/core/test/worker-shutdown",
  "packages/core/test/cluster-shutdown",
  "packages/core/test/cluster-start",
  "packages/core/test/cluster-reload",
  "packages/core/test/cluster-vitals",
  "packages/core/test/handoff-moves",
  "packages/socket/test/lb-start",
  "packages/socket/test/redis",
  "packages/core/test/link-front-parity",
  "packages/socket/test/sessions",
  "packages/core/test/cluster-frameworks",
  "packages/acme/test/renewal",
  "packages/core/test/apps",
  "packages/core/test/cli-monit",
  "packages/core/test/cli-profile",
  "packages/core/test/cluster-traces",
  "packages/core/test/cluster-access-log",
  "packages/core/test/cluster-admin-actions",
].map((name) => new URL(`${name}.test.ts`, root).pathname);

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = long.filter((file) => !existsSync(file));
    if (gone.length > 0) throw new Error(`scripts/longest-first.ts names files that are not there: ${gone.join(", ")}`);
    return (await super.sort(files)).sort((a, b) => group(a) - group(b) || rank(a) - rank(b));
  }
}

/** Projects of one group run beside each other, those of the next one after them. */
const group = ({ project }: TestSpecification) => project.config.sequence.groupOrder;

function rank({ moduleId }: TestSpecification): number {
  const index = long.indexOf(moduleId);
  return index < 0 ? long.length : index;
}
