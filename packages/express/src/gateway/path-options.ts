import { callback } from "@lb/core/kit";
import * as v from "valibot";
import { type PathTemplate, pathTemplate, templatePattern } from "./path-template.ts";

/** The path and query that targets see; see {@link BalanceOptions.path}. */
export type PathOption<Request = unknown> =
  | "stripped"
  | "original"
  | `/${string}`
  | ((target: string, request: Request) => string | PromiseLike<string>);

export type PathSetting =
  | { readonly kind: "stripped" | "original" }
  | { readonly kind: "template"; readonly template: PathTemplate }
  | {
      readonly kind: "function";
      readonly rewrite: (target: string, request: unknown) => string | PromiseLike<string>;
    };

const remedy = 'give "stripped", "original", a path such as "/v2/:id" or a function that returns a path';

export const pathSchema = v.pipe(
  v.union(
    [
      v.literal("stripped"),
      v.literal("original"),
      v.custom<`/${string}`>((value) => typeof value === "string" && templatePattern.test(value), remedy),
      callback<(target: string, request: unknown) => string | PromiseLike<string>>(remedy),
    ],
    remedy,
  ),
  v.transform((given): PathSetting => {
    if (typeof given === "function") return { kind: "function", rewrite: given };
    if (given === "stripped" || given === "original") return { kind: given };
    return { kind: "template", template: pathTemplate(given) };
  }),
);
