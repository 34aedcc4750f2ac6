// What the writers write, as the schemas of those that read it have it. What runs is run in test/cli-export.test.ts.
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { validate as dockerfileFaults } from "dockerfile-utils";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Service } from "kubernetes-models/v1/Service";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { envoyFaults } from "../../../test/support/envoy-protos.ts";
import { exportCases, exportSource } from "../../../test/support/export-cases.ts";
import { compose } from "./compose.ts";
import { dockerfile } from "./dockerfile.ts";
import { envoy } from "./envoy.ts";
import { k8s } from "./k8s.ts";

// Its $schema has an address by which nobody calls draft 7.
const { $schema: _, ...schema } = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/compose-spec.json", import.meta.url), "utf8"),
) as Readonly<Record<string, unknown>>;
const composeSchema = new Ajv({ strict: false, logger: false }).compile(schema);

const models = { Deployment, HorizontalPodAutoscaler, PodDisruptionBudget, Service };

describe.each(Object.entries(exportCases("/srv/shop")))("%s", (_, options) => {
  const { policies, running } = exportSource(options);

  test("is what Envoy's protocol buffers have", () => {
    expect(envoyFaults(parse(envoy(policies)))).toEqual([]);
  });

  test("is what the schema of Compose has", () => {
    expect([composeSchema(parse(compose(running))), composeSchema.errors]).toEqual([true, null]);
  });

  test("is what the schemas of Kubernetes have", () => {
    for (const document of parseAllDocuments(k8s(running))) {
      expect(document.errors).toEqual([]);
      const data = document.toJS() as { kind: keyof typeof models };
      new models[data.kind](data as never).validate();
    }
  });

  test("is a Dockerfile", () => {
    expect(dockerfileFaults(dockerfile(running)).map(({ message }) => message)).toEqual([]);
  });
});

test("the schemas see what is wrong", () => {
  const { policies, running } = exportSource({ affinity: "cookie" });
  const envoys = envoy(policies).replace("stat_prefix", "stat_prefixes").replace("LEAST_REQUEST", "LEAST_REQUESTS");
  expect(envoyFaults(parse(envoys))).toEqual([
    expect.stringContaining("stat_prefixes: unknown in"),
    expect.stringContaining('"LEAST_REQUESTS" is no LbPolicy'),
  ]);
  expect(composeSchema(parse(compose(running).replace("stop_signal", "stopsignal")))).toBe(false);
  const pods = parseAllDocuments(
    k8s(running).replace("containerPort: 3000", 'containerPort: "http"'),
  )[0]!.toJS() as never;
  expect(() => new Deployment(pods).validate()).toThrow("containerPort");
  expect(dockerfileFaults(dockerfile(running).replace("EXPOSE 3000", "EXPOSE http"))).toHaveLength(1);
});
