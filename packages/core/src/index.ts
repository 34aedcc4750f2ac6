export { addressKey } from "./affinity/address-key.ts";
export type { BalancerEvent, EndpointStatus, UnavailableReason } from "./balancer/status.ts";
export { UnavailableError } from "./balancer/unavailable-error.ts";
export type { WaitRefusal } from "./balancer/wait-queue.ts";
export { defineConfig, type LbConfig } from "./cli/config-file.ts";
export { ApplyError, type ApplyOptions, type ApplyReport } from "./cluster/apply-report.ts";
export { type Cluster, cluster, type WorkerInstance } from "./cluster/cluster.ts";
export type { InstanceGroup } from "./cluster/instance-group.ts";
export type { OutputOptions } from "./cluster/output-options.ts";
export type { PrimaryCluster } from "./cluster/primary-cluster.ts";
export type { ClusterReloadReport, ReloadReport } from "./cluster/reload-report.ts";
export type { DeniedRange } from "./control/denied-range.ts";
export type { RouteLine, RouteQuestion, RouteReport } from "./control/route-report.ts";
export type { ClusterStatus, InstanceState, InstanceStatus } from "./control/status.ts";
export type { Tallies } from "./control/tallies.ts";
export type { RequestsStatus, TrafficStatus } from "./control/traffic-status.ts";
export type { AdminAction } from "./events/admin-action.ts";
export type {
  AlertFailedEvent,
  AutoscaleEvent,
  BackendHealthEvent,
  BackendLookupEvent,
  BackendUntrustedEvent,
  CertificateOrderedEvent,
  CertificateOrderFailedEvent,
  ClusterEventMap,
  ClusterPhase,
  HealthEvent,
  MessagesDroppedEvent,
  ReloadEvent,
  RequestsLimitedEvent,
  RequestsRefusedEvent,
} from "./events/cluster-event-map.ts";
export type { RefusalNotice } from "./front/refusal-notice.ts";
export type { EjectionCause, HealthChange, HealthState } from "./health/state.ts";
export { addressOfEntry, normaliseAddress } from "./http/address.ts";
export type { CounterReading } from "./hub/counters.ts";
export { HubError } from "./hub/errors.ts";
export type { Payload } from "./hub/gathered-frames.ts";
export type { HubChannel, HubChannelOptions, HubStore, Replay, RetentionOptions } from "./hub/hub-channel.ts";
export { type Position, type RetainedMark, retainedPosition } from "./hub/position.ts";
export type { Rate, RateReading } from "./hub/rate-table.ts";
export type { RetainedMessage } from "./hub/retained-replica.ts";
export { type CurrentInstance, currentInstance } from "./instance/current-instance.ts";
export { hubChannel } from "./instance/hub-channels.ts";
export { type SharedCounters, sharedCounters } from "./instance/shared-counters.ts";
export { type LocalRatesOptions, localRates, type Rates, sharedRates } from "./instance/shared-rates.ts";
export type { Peer } from "./ipc/messages.ts";
export type { LogEntry, LogLevel } from "./log/log-entry.ts";
export type { AccessField, AccessRecord } from "./model/access-record.ts";
export type { Alert, AlertMessage, AlertRule, AlertSeverity, AlertTrial } from "./model/alert.ts";
export type { Candidate } from "./model/candidate.ts";
export type { Clock, Timer, TimerOptions } from "./model/clock.ts";
export type { Address, Endpoint, NonEmpty } from "./model/endpoint.ts";
export * from "./model/errors.ts";
export type { FailureCondition } from "./model/failure-conditions.ts";
export { ListenError } from "./model/listen-error.ts";
export type { FailureReason, Outcome } from "./model/outcome.ts";
export type { OutputLine } from "./model/output-line.ts";
export type { QuarantinedRequest } from "./model/quarantined-request.ts";
export type { Random } from "./model/random.ts";
export type { RequestView } from "./model/request-view.ts";
export { StartError } from "./model/start-error.ts";
export type { AccessFormat, AccessLogOptions } from "./options/access-log-options.ts";
export type {
  AffinityOptions,
  AffinityRule,
  CookieOptions,
  IpOptions,
  Secret,
  SocketIoOptions,
} from "./options/affinity-options.ts";
export type {
  AlertFunction,
  AlertOptions,
  AlertTarget,
  DigestOptions,
  MailOptions,
  QuietHoursOptions,
} from "./options/alert-options.ts";
export type { AlertRuleOptions } from "./options/alert-rule-options.ts";
export type { AppOptions, AppRouteOptions } from "./options/app-options.ts";
export type { AutoscaleOptions, AutoscaleTarget } from "./options/autoscale-options.ts";
export type {
  BackendEndpoint,
  BackendEndpointOptions,
  BackendEndpoints,
  EndpointsCall,
  EndpointsFunction,
} from "./options/backend-endpoint-options.ts";
export type {
  BackendLookupOptions,
  BackendOptions,
  BackendsOptions,
  BackendTlsOptions,
} from "./options/backend-options.ts";
export type { ChangedBy } from "./options/change-rules.ts";
export type { ClusterOptions } from "./options/cluster-options.ts";
export type { DeployOptions, DeployReleaseOptions, DeployStepOptions } from "./options/deploy-options.ts";
export type { VariableSource, Variables } from "./options/environment-options.ts";
export type { ExecOptions, ProgramOptions } from "./options/exec-options.ts";
export type { HeaderOptions } from "./options/header-options.ts";
export type { HealthEndpointOptions } from "./options/health-endpoint-options.ts";
export type {
  ActiveSettings,
  HealthOptions,
  OutlierSettings,
  PassiveSettings,
  StatusExpectation,
  SuccessRateSettings,
} from "./options/health-options.ts";
export type { CertificateSettings } from "./options/https-options.ts";
export type { RestartOptions } from "./options/life-options.ts";
export type { ListenOptions } from "./options/listen-options.ts";
export type { LogOption } from "./options/log-options.ts";
export type { OptionChange } from "./options/option-changes.ts";
export type { WaitQueueSettings } from "./options/queue-options.ts";
export type { RateLimitKey, RateLimitOptions } from "./options/rate-limit-options.ts";
export type { ReloadCheckOptions } from "./options/reload-check-options.ts";
export type { CanaryOptions, ReloadOptions } from "./options/reload-options.ts";
export type { RetryBudgetSettings } from "./options/retry-budget-options.ts";
export type { RouteOptions } from "./options/route-options.ts";
export type { RedirectOptions, RespondOptions, RouteTargetOptions, SplitPart } from "./options/route-target-options.ts";
export type { SecurityHeaderOptions } from "./options/security-header-options.ts";
export type { OtlpOptions, TracingOptions } from "./options/tracing-options.ts";
export type { ProbeResult } from "./probe/http-probe.ts";
export type { CreateBalancerOptions } from "./standalone/balancer-options.ts";
export { createBalancer } from "./standalone/create-balancer.ts";
export { requestViewOf } from "./standalone/node-request-view.ts";
export type {
  UrlBalancer,
  UrlBalancerEvent,
  UrlBalancerEventOf,
  UrlBalancerListener,
  UrlBalancerStatus,
  UrlEndpointStatus,
  WaitOptions,
} from "./standalone/url-balancer.ts";
export type { UrlEndpoint, UrlEndpointInput, UrlEndpointOptions } from "./standalone/url-endpoints.ts";
export type { UrlLease } from "./standalone/url-lease.ts";
export {
  type BoundedLoadOptions,
  boundedLoad,
  type HashOptions,
  leastConnections,
  type MaglevOptions,
  maglev,
  type PeakEwmaOptions,
  type Picker,
  type PowerOfTwoOptions,
  peakEwma,
  powerOfTwo,
  type RandomOptions,
  random,
  rendezvous,
  roundRobin,
  type Strategy,
  type StrategyName,
  weightedRoundRobin,
} from "./strategies/index.ts";
export type { CanaryReport, TrialFigures } from "./supervisor/canary-judge.ts";
export type {
  AgentFaultEvent,
  CrashLoopEvent,
  ExitEvent,
  ExitReason,
  MessageEvent,
  StartFailedEvent,
  StartHintEvent,
} from "./supervisor/events.ts";
export { ReloadError, type ReloadStep } from "./supervisor/reload-error.ts";
export type { ReloadProgress } from "./supervisor/rolling-reload.ts";
export type { Instance, StartApp, StartingInstance } from "./worker/agent.ts";
export type { App, FastifyLike, KoaLike } from "./worker/app-server.ts";
export { type DrainListener, type DrainNotice, isDraining, isEnding, onDrain } from "./worker/drain-notices.ts";
export { clusterRoster } from "./worker/peers.ts";
export { currentRequestId } from "./worker/request-context.ts";
