import type { UrlEndpointInput } from "@lb/core";
import { callback } from "@lb/core/kit";
import * as v from "valibot";

/** Where requests go; see {@link BalanceOptions.targets}. */
export type Targets =
  | readonly UrlEndpointInput[]
  | (() => readonly UrlEndpointInput[] | Promise<readonly UrlEndpointInput[]>)
  | "workers";

/**
 * Where one request goes: a URL, several that are balanced like `targets`, undefined for `targets` themselves, or `"next"` for
 * whatever comes after this in the app.
 */
export type RoutedTo = string | URL | readonly UrlEndpointInput[] | undefined;

export type Router<Request = unknown> = (request: Request) => RoutedTo | PromiseLike<RoutedTo>;

export const targetsSchema = v.custom<Targets>(
  (value) => value === "workers" || typeof value === "function" || Array.isArray(value),
  'give a list of URLs, a function that returns one, or "workers"',
);

export const routerSchema = callback<Router>('give a function that returns a URL, a list of them, undefined or "next"');
