import * as v from "valibot";
import { maxInstances } from "./autoscale-options.ts";
import { canarySchema, type ReloadOptions } from "./reload-options.ts";
import { milliseconds, options, wholeNumber, yesOrNo } from "./validation.ts";

const nameRemedy = "give the name of a backend";
const name = v.pipe(v.string(nameRemedy), v.maxLength(256, nameRemedy));
const backend = v.optional(name);
const oneInstance = options({ backend, id: wholeNumber(1, maxInstances) });
const signal = v.pipe(
  v.string("give the name of a signal"),
  v.custom<NodeJS.Signals>((value) => /^SIG[A-Z]{2,8}\d{0,2}$/.test(value as string), 'give its name: "SIGUSR2"'),
);
const rangeRemedy = 'give an address, or a range such as "203.0.113.0/24"';
const range = v.pipe(v.string(rangeRemedy), v.maxLength(128, rangeRemedy));
const how = v.custom<ReloadOptions>(
  (value) => typeof value === "object" && value !== null,
  "give an object of options",
);

/** What operators can have done, by the control socket and the admin listener, and with which arguments. `backend`: its instances alone. */
export const actionArguments = {
  /** `withClient`: it is taken back if whoever asked for it leaves, or wants no more of it. */
  reload: options({ backend, options: v.optional(how), withClient: v.optional(yesOrNo()) }),
  canary: options({ backend, ...canarySchema.entries }),
  restart: oneInstance,
  scale: options({ backend, instances: wholeNumber(1, maxInstances) }),
  drain: oneInstance,
  resume: oneInstance,
  signal: options({ backend, id: v.optional(wholeNumber(1, maxInstances)), signal }),
  deny: options({ range, forMs: v.optional(milliseconds(1)) }),
  allow: options({ range }),
  certs: options({}),
  "alert-test": options({}),
};

export type ActionName = keyof typeof actionArguments;

export type ActionArguments = { readonly [Name in ActionName]: v.InferOutput<(typeof actionArguments)[Name]> };
