import type { AccessField, AccessRecord } from "../model/access-record.ts";
import { jsonText } from "./escaping.ts";

/** Writes records as JSON, with these fields in this order; one that has no value is left out. */
export function jsonLines(fields: readonly AccessField[]): (record: AccessRecord) => string {
  const parts = fields.map((field) => ({ field, key: `"${field}":` }));
  return (record) => {
    let line = "{";
    for (const { field, key } of parts) {
      const value = record[field];
      if (value === undefined) continue;
      if (line.length > 1) line += ",";
      line += key + (field === "time" ? `"${new Date(record.time).toISOString()}"` : jsonValue(value));
    }
    return `${line}}`;
  };
}

function jsonValue(value: string | number | boolean): string {
  switch (typeof value) {
    case "string":
      return jsonText(value);
    case "number":
      return Number.isInteger(value) ? String(value) : String(Math.round(value * 1_000) / 1_000);
    case "boolean":
      return value ? "true" : "false";
  }
}
