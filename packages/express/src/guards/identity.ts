import { currentInstance } from "@lb/core";
import { offOr, options, parseOptions } from "@lb/core/kit";
import * as v from "valibot";
import type { Guard } from "../call.ts";
import { fieldName } from "../header-fields.ts";

export interface IdentityOptions {
  /** The header with the instance's number, or `false`. Default `"X-Instance-Id"`. */
  readonly header?: string | false;
  /** The header with the instance's own host and port, or `false`. Default `"X-Backend-Server"`. */
  readonly backendHeader?: string | false;
}

const schema = options({
  header: v.optional(offOr(fieldName()), "X-Instance-Id"),
  backendHeader: v.optional(offOr(fieldName()), "X-Backend-Server"),
});

/** @throws OptionError for the first option that cannot be used */
export function identityGuard(input: IdentityOptions = {}): Guard {
  const { header, backendHeader } = parseOptions(schema, input);
  const instance = currentInstance();
  const fields: [string, string][] = [];
  if (instance !== undefined) {
    const { id, host, port } = instance;
    if (header !== false) fields.push([header, String(id)]);
    if (backendHeader !== false) fields.push([backendHeader, `${host.includes(":") ? `[${host}]` : host}:${port}`]);
  }
  return (call) => {
    for (const [name, value] of fields) call.setHeader(name, value);
    return undefined;
  };
}
