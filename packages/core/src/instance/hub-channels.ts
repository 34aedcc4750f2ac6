import * as v from "valibot";
import type { HubChannel, HubChannelOptions } from "../hub/hub-channel.ts";
import { maxNameBytes } from "../hub/limits.ts";
import { OptionError } from "../model/errors.ts";
import { milliseconds, options, parseOptions, wholeNumber } from "../options/validation.ts";
import { workerHub } from "../worker/hub-access.ts";

const schema = options({
  retention: v.optional(
    options({
      maxEntries: v.optional(wholeNumber(1, 1_000_000), 10_000),
      maxBytes: v.optional(wholeNumber(1, 32_505_856), 16_777_216),
      maxAgeMs: v.optional(milliseconds(1, 86_400_000), 120_000),
    }),
  ),
});

/**
 * Joins the channel of that name, which connects the instances of this cluster through their primary. Asked for again, it
 * is the same one, with the options of the first call.
 *
 * @throws HubError `LB_HUB_NO_INSTANCE` in a process that is no instance, `LB_HUB_LOST` when the primary is gone
 * @throws OptionError for an option that cannot be used
 */
export function hubChannel(name: string, given: HubChannelOptions = {}): HubChannel {
  checkHubName("name", name);
  const { retention } = parseOptions(schema, given, "");
  return workerHub("hubChannel()").channel(name, retention);
}

export function checkHubName(option: string, value: unknown): asserts value is string {
  if (typeof value === "string" && value !== "" && Buffer.byteLength(value) <= maxNameBytes) return;
  throw new OptionError(option, value, `give a text of 1 to ${maxNameBytes} bytes`);
}
