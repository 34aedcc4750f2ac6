// What Envoy would say to a configuration, as far as its protocol buffers say it: names, types, enumerations, and what is required.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import protobuf from "protobufjs";

const { resolve } = createRequire(import.meta.url);
const deps = join(dirname(resolve("@grpc/grpc-js-xds/package.json")), "deps");
const places = [
  ...["envoy-api", "xds", "googleapis", "protoc-gen-validate"].map((one) => join(deps, one)),
  dirname(resolve("protobufjs/package.json")),
];

const files = [
  "config/bootstrap/v3/bootstrap",
  "extensions/filters/http/router/v3/router",
  "extensions/filters/http/stateful_session/v3/stateful_session",
  "extensions/filters/network/http_connection_manager/v3/http_connection_manager",
  "extensions/http/stateful_session/cookie/v3/cookie",
  "extensions/resource_monitors/downstream_connections/v3/downstream_connections",
  "extensions/retry/host/previous_hosts/v3/previous_hosts",
  "extensions/transport_sockets/tls/v3/tls",
];

let loaded: protobuf.Root | undefined;

function load(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => places.map((place) => join(place, target)).find(existsSync) ?? target;
  return root.loadSync(
    files.map((file) => `envoy/${file}.proto`),
    { keepCase: true },
  );
}

/** Of a bootstrap configuration; none: nothing is wrong. */
export function envoyFaults(bootstrap: unknown): readonly string[] {
  loaded ??= load();
  const root = loaded;
  return new Faults(root).ofMessage(root.lookupType("envoy.config.bootstrap.v3.Bootstrap"), bootstrap, "");
}

type Data = Readonly<Record<string, unknown>>;

/** Types that JSON has words of its own for. */
const plain: Readonly<Record<string, (data: unknown) => boolean>> = {
  "google.protobuf.Duration": (data) => typeof data === "string" && /^\d+(\.\d{1,9})?s$/.test(data),
  "google.protobuf.BoolValue": (data) => typeof data === "boolean",
  "google.protobuf.StringValue": (data) => typeof data === "string",
  "google.protobuf.UInt32Value": (data) => Number.isInteger(data),
  "google.protobuf.UInt64Value": (data) => Number.isInteger(data),
  "google.protobuf.DoubleValue": (data) => typeof data === "number",
};

class Faults {
  readonly root: protobuf.Root;

  constructor(root: protobuf.Root) {
    this.root = root;
  }

  ofMessage(type: protobuf.Type, data: unknown, path: string): string[] {
    const name = type.fullName.slice(1);
    const isPlain = plain[name];
    if (isPlain !== undefined) return isPlain(data) ? [] : [`${path}: ${JSON.stringify(data)} is no ${name}`];
    if (typeof data !== "object" || data === null) return [`${path}: ${JSON.stringify(data)} is no ${name}`];
    if (name === "google.protobuf.Any") {
      const { "@type": url, ...rest } = data as Data;
      const inner = this.root.lookup(String(url).split("/")[1]!, protobuf.Type);
      if (inner === null) return [`${path}: no type ${String(url)}`];
      return this.ofMessage(inner as protobuf.Type, rest, path);
    }
    const given = Object.entries(data).flatMap(([key, value]) => {
      const field = type.fields[key];
      return field === undefined
        ? [`${path}.${key}: unknown in ${name}`]
        : this.ofField(field, value, `${path}.${key}`);
    });
    const missing = type.fieldsArray
      .filter((field) => field.options?.["(validate.rules).message.required"] === true)
      // Of several of which there is one, that one is meant.
      .filter((field) => field.partOf === null && !(field.name in data))
      .map((field) => `${path}.${field.name}: required`);
    const unchosen = type.oneofsArray
      .filter((one) => one.options?.["(validate.required)"] === true)
      .filter((one) => one.fieldsArray.filter((field) => field.name in data).length !== 1)
      .map((one) => `${path}: one of ${one.fieldsArray.map((field) => field.name).join(", ")}`);
    return [...given, ...missing, ...unchosen];
  }

  ofField(field: protobuf.Field, data: unknown, path: string): string[] {
    field.resolve();
    if (!field.repeated) return this.ofValue(field, data, path);
    if (!Array.isArray(data)) return [`${path}: no list`];
    return data.flatMap((one, at) => this.ofValue(field, one, `${path}[${at}]`));
  }

  ofValue({ resolvedType, type }: protobuf.Field, data: unknown, path: string): string[] {
    if (resolvedType instanceof protobuf.Type) return this.ofMessage(resolvedType, data, path);
    const fits =
      resolvedType instanceof protobuf.Enum
        ? String(data) in resolvedType.values
        : type === "string"
          ? typeof data === "string"
          : type === "bool"
            ? typeof data === "boolean"
            : Number.isFinite(data);
    return fits ? [] : [`${path}: ${JSON.stringify(data)} is no ${resolvedType?.name ?? type}`];
  }
}
