export type { Answer, RequestOptions } from "./answer.ts";
export { type LoadProgress, type LoadTestOptions, loadTest, type Scenario } from "./load-test.ts";
export type { LoadReport } from "./report.ts";
export { reportText } from "./report-text.ts";
export type { Stage } from "./stages.ts";
export type { Counted, Latencies } from "./tally.ts";
export type { Thresholds, Verdict } from "./thresholds.ts";
export type { User } from "./user.ts";
export type { TestWebSocket } from "./web-socket.ts";
