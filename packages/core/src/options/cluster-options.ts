import { type BalancingOptions, balancingEntries } from "./balancing-options.ts";
import { type EnvironmentOptions, environmentEntries } from "./environment-options.ts";
import { type ProgramOptions, programEntries } from "./exec-options.ts";
import { type FrontOptions, frontEntries } from "./front-options.ts";
import { type LifeOptions, lifeEntries } from "./life-options.ts";
import { type OperatorOptions, operatorEntries } from "./operator-options.ts";
import { type PlaceOptions, placeEntries } from "./place-options.ts";
import { type RoutingOptions, routingEntries } from "./routing-options.ts";
import { options } from "./validation.ts";

/** The options of `cluster()`. All may be left out. */
export interface ClusterOptions
  extends PlaceOptions,
    ProgramOptions,
    RoutingOptions,
    BalancingOptions,
    LifeOptions,
    EnvironmentOptions,
    OperatorOptions,
    FrontOptions {}

export const clusterSchema = options({
  ...placeEntries,
  ...programEntries,
  ...routingEntries,
  ...balancingEntries,
  ...lifeEntries,
  ...environmentEntries,
  ...operatorEntries,
  ...frontEntries,
});
