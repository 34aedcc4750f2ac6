// What is run in each instance of a group whose app is a file: `node app-instance.js <entry> [arguments]`.
import { systemClock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import { Agent } from "./agent.ts";
import { takeWorkerFacts } from "./identity.ts";
import { startUnmodifiedApp } from "./unmodified-app.ts";

const [entry, ...args] = process.argv.slice(2);
const facts = takeWorkerFacts(process.env, process.ppid);
if (facts === undefined || entry === undefined) {
  throw new LbError("LB_NOT_A_WORKER", "This file is run by lb in the instances of a cluster, and by nobody else.");
}
await new Agent({ facts, gate: undefined, clock: systemClock }).start((instance) =>
  startUnmodifiedApp(entry, args, instance),
);
