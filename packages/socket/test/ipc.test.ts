import { describeScenarios } from "./support/scenarios.ts";

describeScenarios("through the primary", () => ({}));
