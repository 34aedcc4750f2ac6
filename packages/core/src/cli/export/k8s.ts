import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IHorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import type { IIoK8sApiCoreV1Container } from "kubernetes-models/v1/Container";
import type { IIoK8sApiCoreV1Probe } from "kubernetes-models/v1/Probe";
import type { IService } from "kubernetes-models/v1/Service";
import { imageOf } from "./images.ts";
import type { Policies } from "./policies.ts";
import type { Running } from "./running.ts";
import { remarks } from "./words.ts";
import { type Yaml, yaml } from "./yaml.ts";

/** From when a pod is to end until no node sends it anything any more: as a rule less. */
const unannouncedSeconds = 5;
/** Time after a drain until what is left is killed. */
const marginSeconds = 5;

/** A Deployment of pods with one instance each, a Service in front, and who may interrupt or scale them; for Kubernetes 1.25 or later. */
export function k8s(running: Running): string {
  const policies = running.policies([]);
  const { affinity, attempts } = policies;
  const name = policies.name.toLowerCase().replaceAll("_", "-").replace(/-+$/, "").slice(0, 63);
  const image = imageOf(running);
  const { autoscale } = running;
  const notes = [
    "the image: lb export dockerfile > Dockerfile; name it under `image`",
    "the front: an Ingress or Gateway of your cluster, for TLS, time-outs, sizes, retries and stickiness by cookie. Or have lb in each pod: docs/deploy.md",
    `strategy ${policies.strategy}: a Service takes any pod, for each connection`,
    ...(affinity === undefined || affinity.kind === "ip"
      ? []
      : [`affinity by ${affinity.kind}: a Service knows addresses alone`]),
    ...(attempts > 1 ? ["retry: a Service does not"] : []),
    ...(running.envFiles.length > 0
      ? [`envFile: a Secret of it: kubectl create secret generic ${name} --from-env-file ${running.envFiles[0]}`]
      : []),
    ...(running.memoryMb === undefined ? [] : ["maxMemoryMb: the kernel kills; lb has a successor take over first"]),
    ...(autoscale !== undefined && autoscale.target.metric !== "cpu"
      ? [`autoscale by ${autoscale.target.metric}: by processor time, as far as Kubernetes can see`]
      : []),
    "liveness: none, since a path that fails with its database would restart what is well; add one that asks nothing but the app",
    "restart: the pause between restarts grows up to 5 minutes, as Kubernetes has it",
    ...image.notes,
    ...running.others,
  ];
  const documents = [
    deployment(running, policies, name),
    service(running, policies, name),
    budget(name),
    ...(autoscale === undefined ? [] : [autoscaler(autoscale, name)]),
  ];
  return remarks("#", notes) + documents.map((one) => yaml(one as unknown as Yaml)).join("---\n");
}

function deployment(running: Running, policies: Policies, name: string): IDeployment {
  const drain = Math.ceil((running.drainMs + running.shutdownDelayMs) / 1_000);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels: { app: name } },
    spec: {
      // The autoscaler's affair, if there is one.
      ...(running.autoscale === undefined && { replicas: running.instances }),
      selector: { matchLabels: { app: name } },
      // As a reload: a successor first, and only where it is ready another one ends.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: unannouncedSeconds + drain + marginSeconds,
          containers: [container(running, policies, name)],
        },
      },
    },
  };
}

function container(running: Running, policies: Policies, name: string): IIoK8sApiCoreV1Container {
  const { port, env, memoryMb } = running;
  const { active } = policies;
  const seconds = (ms: number) => Math.max(1, Math.round(ms / 1_000));
  const question: IIoK8sApiCoreV1Probe =
    active === undefined ? { tcpSocket: { port } } : { httpGet: { path: active.path, port } };
  return {
    name,
    image: `${name}:latest`,
    command: [...imageOf(running).command],
    ports: [{ name: "http", containerPort: port }],
    env: Object.entries({ NODE_ENV: "production", ...env, PORT: String(port), HOST: "0.0.0.0" }).map(
      ([key, value]) => ({
        name: key,
        value,
      }),
    ),
    ...(running.envFiles.length > 0 && { envFrom: [{ secretRef: { name } }] }),
    startupProbe: { ...question, periodSeconds: 1, failureThreshold: seconds(running.startTimeoutMs) },
    readinessProbe: {
      ...question,
      periodSeconds: seconds(active?.intervalMs ?? 2_000),
      timeoutSeconds: seconds(active?.timeoutMs ?? 2_000),
      failureThreshold: active?.unhealthyAfter ?? 2,
      successThreshold: active?.healthyAfter ?? 1,
    },
    // It is to end only when nobody sends it anything any more.
    lifecycle: { preStop: { exec: { command: ["sleep", String(unannouncedSeconds)] } } },
    ...(memoryMb !== undefined && {
      resources: { requests: { memory: `${memoryMb}Mi` }, limits: { memory: `${memoryMb}Mi` } },
    }),
  };
}

function service({ port }: Running, { affinity, listeners }: Policies, name: string): IService {
  const plain = listeners.find((listener) => listener.kind === "tcp" && !listener.encrypted);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, labels: { app: name } },
    spec: {
      selector: { app: name },
      ports: [{ name: "http", port: plain?.kind === "tcp" && plain.port > 0 ? plain.port : 80, targetPort: port }],
      ...(affinity?.kind === "ip" && { sessionAffinity: "ClientIP" }),
    },
  };
}

function budget(name: string): IPodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: name } } },
  };
}

function autoscaler(
  { min, max, target, cooldownMs }: NonNullable<Running["autoscale"]>,
  name: string,
): IHorizontalPodAutoscaler {
  const share = target.metric === "inFlight" ? 0.6 : target.value;
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
      minReplicas: min,
      maxReplicas: max,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "AverageValue", averageValue: `${Math.round(share * 1_000)}m` } },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: Math.min(3_600, Math.round(cooldownMs / 1_000)) } },
    },
  };
}
