import { haproxyInContainers } from "./haproxy.ts";
import { healthQuestion, imageOf, inApp } from "./images.ts";
import { type Policies, serverAt } from "./policies.ts";
import type { Running } from "./running.ts";
import { remarks, seconds } from "./words.ts";
import { type Yaml, yaml } from "./yaml.ts";

/** Where the front finds certificates. */
const certificateFolder = "/etc/haproxy/certs";

/** A service for each instance, each with a name and a number that stay, and HAProxy in front of them, which has the policies. */
export function compose(running: Running): string {
  const { instances, port, cwd } = running;
  // Those of images have no capitals.
  const name = running.policies([]).name.toLowerCase();
  const names = Array.from({ length: instances }, (_, at) => `${name}-${at + 1}`);
  const policies = running.policies(names.map((host, at) => serverAt(at + 1, host, port)));
  const image = imageOf(running);
  const notes = [
    "the image: lb export dockerfile > Dockerfile",
    `a rolling reload: docker compose build ${names[0]}, then docker compose up -d --no-deps <service> for one after the other`,
    ...(running.memoryMb === undefined ? [] : ["maxMemoryMb: the kernel kills; lb has a successor take over first"]),
    ...(running.autoscale === undefined ? [] : ["autoscale: as many as there are services"]),
    ...image.notes,
    ...running.others,
  ];
  const services = names.map((service, at): [string, Yaml] => [
    service,
    {
      image: name,
      ...(at === 0 && { build: "." }),
      command: image.command.map(dollars),
      environment: Object.fromEntries(
        Object.entries({
          ...running.env,
          PORT: String(port),
          HOST: "0.0.0.0",
          INSTANCE_ID: String(at + 1),
          NODE_APP_INSTANCE: String(at),
        }).map(([key, value]) => [key, dollars(value)]),
      ),
      ...(running.envFiles.length > 0 && { env_file: running.envFiles.map((file) => inApp(cwd, file)) }),
      restart: running.stopExitCodes.includes(0) ? "on-failure" : "unless-stopped",
      stop_signal: running.stopSignal,
      stop_grace_period: seconds(running.drainMs + running.shutdownDelayMs + 5_000),
      ...(running.memoryMb !== undefined && { mem_limit: `${running.memoryMb}m` }),
      ...(image.isNode && { healthcheck: healthcheck(running, policies) }),
    },
  ]);
  const tcp = policies.listeners.filter((listener) => listener.kind === "tcp");
  const front: Yaml = {
    image: "haproxy:lts-alpine",
    restart: "unless-stopped",
    ports: tcp.map((listener) => `${listener.address}:${listener.port}`),
    // Ports below 1024 are open to whoever is in the container.
    sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
    configs: [{ source: "front", target: "/usr/local/etc/haproxy/haproxy.cfg" }],
    ...(policies.certificates.length > 0 && {
      volumes: policies.certificates.flatMap(({ cert, key }, at) => [
        `${inApp(cwd, cert)}:${certificateFolder}/${at + 1}.pem:ro`,
        `${inApp(cwd, key)}:${certificateFolder}/${at + 1}.pem.key:ro`,
      ]),
    }),
    depends_on: Object.fromEntries(
      names.map((service) => [service, { condition: image.isNode ? "service_healthy" : "service_started" }]),
    ),
  };
  const configuration = haproxyInContainers({
    ...policies,
    listeners: tcp.map((listener) => ({ ...listener, address: `:${listener.port}` })),
    certificates: policies.certificates.map((_, at) => ({
      cert: `${certificateFolder}/${at + 1}.pem`,
      key: `${certificateFolder}/${at + 1}.pem.key`,
    })),
  });
  return (
    remarks("#", notes) +
    yaml({
      name,
      services: { ...Object.fromEntries(services), front },
      configs: { front: { content: dollars(configuration) } },
    })
  );
}

/** Without a path to ask, whoever takes connections is well. */
function healthcheck(running: Running, { active }: Policies): Yaml {
  const { port } = running;
  const question =
    active === undefined
      ? `require("node:net").connect(${port}, "127.0.0.1", () => process.exit(0)).on("error", () => process.exit(1))`
      : healthQuestion(active.path, port);
  return {
    test: ["CMD", "node", "-e", question],
    interval: seconds(active?.intervalMs ?? 5_000),
    timeout: seconds(active?.timeoutMs ?? 5_000),
    retries: active?.unhealthyAfter ?? 3,
    start_period: seconds(running.startTimeoutMs),
  };
}

/** Compose fills variables in. */
function dollars(text: string): string {
  return text.replaceAll("$", "$$$$");
}
