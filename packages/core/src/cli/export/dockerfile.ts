import { healthQuestion, imageOf } from "./images.ts";
import type { Running } from "./running.ts";
import { remarks, seconds } from "./words.ts";

/** An image in which one instance runs: there are as many containers as there were instances. */
export function dockerfile(running: Running): string {
  const { port, env, envFiles, stopSignal, startTimeoutMs } = running;
  const image = imageOf(running);
  const { active } = running.policies([]);
  const path = active?.path;
  const notes = [
    `instances: a container is one of ${running.instances}; lb export compose | k8s write them, and docs/deploy.md has an image with lb in it`,
    `drainTimeoutMs: docker stop -t ${Math.ceil((running.drainMs + running.shutdownDelayMs) / 1_000) + 5}`,
    ...(running.memoryMb === undefined ? [] : [`maxMemoryMb: docker run --memory ${running.memoryMb}m, which kills`]),
    "restart: docker run --restart unless-stopped",
    ...(envFiles.length === 0 ? [] : [`envFile: docker run ${envFiles.map((file) => `--env-file ${file}`).join(" ")}`]),
    ...image.notes,
    ...running.others,
  ];
  const { packages } = image;
  const lines = [
    `FROM ${image.base}`,
    "WORKDIR /app",
    ...(packages === undefined ? [] : [`COPY ${packages.files.join(" ")} ./`, `RUN ${packages.install}`]),
    "# With a .dockerignore: node_modules, .git, .env",
    "COPY . .",
    ...Object.entries({ NODE_ENV: "production", ...env, PORT: String(port), HOST: "0.0.0.0" }).map(
      ([name, value]) => `ENV ${name}=${/^[\w./:@-]*$/.test(value) ? value : quoted(value)}`,
    ),
    ...(image.isNode ? ["USER node"] : ["USER nobody"]),
    `EXPOSE ${port}`,
    `STOPSIGNAL ${stopSignal}`,
    ...(active === undefined || !image.isNode
      ? []
      : [
          `HEALTHCHECK --interval=${seconds(active.intervalMs)} --timeout=${seconds(active.timeoutMs)} --start-period=${seconds(startTimeoutMs)} --retries=${active.unhealthyAfter} \\`,
          `  CMD ${JSON.stringify(["node", "-e", healthQuestion(path!, port)])}`,
        ]),
    "# No shell between: it would not pass the signal on.",
    `CMD ${JSON.stringify(image.command)}`,
  ];
  return `${remarks("#", notes)}${lines.join("\n")}\n`;
}

/** Variables are not meant. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"$]/g, "\\$&").replaceAll("\n", " ")}"`;
}
