import * as v from "valibot";
import { endStatus, type FailureCondition, firstErrorStatus } from "../model/failure-conditions.ts";
import { failureReasons } from "../model/outcome.ts";
import { oneOf } from "./validation.ts";

const reason = oneOf([...failureReasons, "5xx"]);
const statusRemedy = `give a status from ${firstErrorStatus} to ${endStatus - 1}`;
const status = v.pipe(
  v.number(statusRemedy),
  v.integer(statusRemedy),
  v.minValue(firstErrorStatus, statusRemedy),
  v.maxValue(endStatus - 1, statusRemedy),
);

/** A list such as `["connect", "reset", 503]`, or `["timeout", "5xx"]`. */
export const failureConditions = v.pipe(
  v.array(
    v.lazy((input): v.GenericSchema<FailureCondition> => (typeof input === "number" ? status : reason)),
    'give a list of failures, e.g. ["connect", "reset", "5xx"]',
  ),
  v.readonly(),
);
