// What docs/grafana.json shows: rows of panels, each made of queries about metrics that there are.

/** How numbers are written, by Grafana's names. */
type Unit = "reqps" | "s" | "percentunit" | "bytes" | "Bps" | "short" | "dateTimeFromNow" | "bool_yes_no";

export interface Query {
  /** `$sel` stands for what is chosen above: the job and the cluster. */
  readonly expr: string;
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of 24; default 8. */
  readonly width?: number;
  readonly kind?: "timeseries" | "stat";
  readonly stacked?: boolean;
  /** Why there may be nothing in it, on a cluster where all is well. */
  readonly mayBeEmpty?: string;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const rate = (metric: string, matchers = "") => `rate(${metric}{$sel${matchers}}[$__rate_interval])`;
const quantile = (q: number, metric: string, by = "") =>
  `histogram_quantile(${q}, sum by (${by}le) (${rate(`${metric}_bucket`)}))`;
const quantiles = (metric: string): readonly Query[] =>
  [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, metric), legend: `p${q * 100}` }));
const instances = "{{backend}} {{id}}";

export const rows: readonly Row[] = [
  {
    title: "At a glance",
    panels: [
      {
        title: "Requests",
        unit: "reqps",
        kind: "stat",
        width: 4,
        queries: [{ expr: `sum(${rate("lb_requests_total")})`, legend: "" }],
      },
      {
        title: "Failing",
        unit: "percentunit",
        kind: "stat",
        width: 4,
        queries: [
          {
            expr: `sum(${rate("lb_requests_total", ',status="5xx"')}) / sum(${rate("lb_requests_total")})`,
            legend: "",
          },
        ],
      },
      {
        title: "p95",
        unit: "s",
        kind: "stat",
        width: 4,
        queries: [{ expr: quantile(0.95, "lb_request_duration_seconds"), legend: "" }],
      },
      {
        title: "In flight",
        unit: "short",
        kind: "stat",
        width: 4,
        queries: [{ expr: "sum(lb_in_flight{$sel})", legend: "" }],
      },
      {
        title: "Waiting",
        unit: "short",
        kind: "stat",
        width: 4,
        queries: [{ expr: "sum(lb_waiting{$sel})", legend: "" }],
      },
      {
        title: "Instances that take traffic",
        unit: "short",
        kind: "stat",
        width: 4,
        queries: [{ expr: "sum(lb_instance_up{$sel})", legend: "" }],
      },
    ],
  },
  {
    title: "Requests",
    panels: [
      {
        title: "By status",
        unit: "reqps",
        stacked: true,
        queries: [{ expr: `sum by (status) (${rate("lb_requests_total")})`, legend: "{{status}}" }],
      },
      { title: "Duration", unit: "s", queries: quantiles("lb_request_duration_seconds") },
      { title: "First byte", unit: "s", queries: quantiles("lb_request_first_byte_seconds") },
      {
        title: "By route",
        unit: "reqps",
        stacked: true,
        queries: [{ expr: `sum by (route) (${rate("lb_requests_total")})`, legend: "{{route}}" }],
      },
      {
        title: "p95 by route",
        unit: "s",
        queries: [{ expr: quantile(0.95, "lb_request_duration_seconds", "route, "), legend: "{{route}}" }],
      },
      {
        title: "Answered by the front",
        unit: "reqps",
        queries: [
          { expr: `sum by (status) (${rate("lb_requests_total", ',answered_by="front"')})`, legend: "{{status}}" },
        ],
        mayBeEmpty: "the front has answered nothing",
      },
      {
        title: "Waited for an instance",
        unit: "s",
        queries: quantiles("lb_queue_wait_seconds"),
        mayBeEmpty: "no request had to wait",
      },
      {
        title: "Cut responses, clients that left",
        unit: "reqps",
        queries: [
          { expr: `sum(${rate("lb_responses_cut_total")})`, legend: "cut" },
          { expr: `sum(${rate("lb_clients_left_total")})`, legend: "left" },
        ],
      },
      {
        title: "Attempts for each request",
        unit: "short",
        queries: [
          { expr: `sum(${rate("lb_request_attempts_total")}) / sum(${rate("lb_requests_total")})`, legend: "attempts" },
        ],
      },
    ],
  },
  {
    title: "Instances",
    panels: [
      {
        title: "Requests",
        unit: "reqps",
        queries: [{ expr: `sum by (id) (${rate("lb_instance_requests_total")})`, legend: "{{id}}" }],
      },
      {
        title: "p95",
        unit: "s",
        queries: [{ expr: quantile(0.95, "lb_instance_request_duration_seconds", "id, "), legend: "{{id}}" }],
      },
      { title: "In flight", unit: "short", queries: [{ expr: "lb_instance_in_flight{$sel}", legend: instances }] },
      {
        title: "Processors",
        unit: "short",
        queries: [
          { expr: "lb_instance_cpu_cores{$sel}", legend: instances },
          { expr: "lb_primary_cpu_cores{$sel}", legend: "primary" },
        ],
      },
      {
        title: "Event loop busy",
        unit: "percentunit",
        queries: [
          { expr: "lb_instance_event_loop_utilization_ratio{$sel}", legend: instances },
          { expr: "lb_primary_event_loop_utilization_ratio{$sel}", legend: "primary" },
        ],
      },
      {
        title: "Event loop late",
        unit: "s",
        queries: [
          { expr: "lb_instance_event_loop_lag_seconds{$sel}", legend: instances },
          { expr: "lb_primary_event_loop_lag_seconds{$sel}", legend: "primary" },
        ],
      },
      {
        title: "Memory",
        unit: "bytes",
        queries: [
          { expr: "lb_instance_resident_memory_bytes{$sel}", legend: instances },
          { expr: "lb_primary_resident_memory_bytes{$sel}", legend: "primary" },
        ],
      },
      {
        title: "Heap",
        unit: "bytes",
        queries: [
          { expr: "lb_instance_heap_bytes{$sel}", legend: instances },
          { expr: "lb_primary_heap_bytes{$sel}", legend: "primary" },
        ],
      },
      {
        title: "Not in service",
        unit: "short",
        stacked: true,
        queries: [{ expr: 'sum by (state) (lb_instance_state{$sel,state!="ready"})', legend: "{{state}}" }],
      },
      {
        title: "Processes that ended",
        unit: "short",
        queries: [
          {
            expr: "sum by (id, reason) (increase(lb_instance_exits_total{$sel}[$__rate_interval]))",
            legend: "{{id}} {{reason}}",
          },
        ],
        mayBeEmpty: "no process has ended",
      },
      {
        title: "Tried again",
        unit: "reqps",
        queries: [{ expr: `sum by (id, cause) (${rate("lb_instance_retries_total")})`, legend: "{{id}} {{cause}}" }],
        mayBeEmpty: "nothing was tried again",
      },
      {
        title: "Reloads",
        unit: "short",
        queries: [
          { expr: "sum by (result) (increase(lb_reloads_total{$sel}[$__rate_interval]))", legend: "{{result}}" },
        ],
        mayBeEmpty: "there was none",
      },
    ],
  },
  {
    title: "Connections",
    panels: [
      {
        title: "Open",
        unit: "short",
        queries: [{ expr: "lb_connections_open{$sel}", legend: "listener {{listener}}" }],
      },
      {
        title: "Accepted",
        unit: "reqps",
        queries: [
          { expr: `sum by (listener) (${rate("lb_connections_accepted_total")})`, legend: "listener {{listener}}" },
        ],
      },
      {
        title: "Refused",
        unit: "reqps",
        queries: [{ expr: `sum by (reason) (${rate("lb_connections_refused_total")})`, legend: "{{reason}}" }],
        mayBeEmpty: "none was refused",
      },
      {
        title: "Bytes",
        unit: "Bps",
        queries: [
          { expr: `sum(${rate("lb_received_bytes_total")})`, legend: "received" },
          { expr: `sum(${rate("lb_sent_bytes_total")})`, legend: "sent" },
        ],
      },
      {
        title: "Handshakes of TLS",
        unit: "reqps",
        queries: [
          { expr: `sum by (kind) (${rate("lb_handshakes_total")})`, legend: "{{kind}}" },
          { expr: `sum by (reason) (${rate("lb_handshakes_failed_total")})`, legend: "failed: {{reason}}" },
        ],
        mayBeEmpty: "there is no port with TLS",
      },
      {
        title: "Certificates expire",
        unit: "dateTimeFromNow",
        kind: "stat",
        queries: [{ expr: "lb_certificate_expiry_timestamp_seconds{$sel} * 1000", legend: "{{certificate}}" }],
        mayBeEmpty: "there is no port with TLS",
      },
    ],
  },
  {
    title: "Named backends",
    panels: [
      {
        title: "Endpoints that take traffic",
        unit: "short",
        queries: [{ expr: "sum by (backend) (lb_backend_up{$sel})", legend: "{{backend}}" }],
        mayBeEmpty: "there are none",
      },
      {
        title: "Requests",
        unit: "reqps",
        queries: [
          {
            expr: `sum by (backend, endpoint) (${rate("lb_backend_requests_total")})`,
            legend: "{{backend}} {{endpoint}}",
          },
        ],
        mayBeEmpty: "there are none",
      },
      {
        title: "p95",
        unit: "s",
        queries: [{ expr: quantile(0.95, "lb_backend_request_duration_seconds", "backend, "), legend: "{{backend}}" }],
        mayBeEmpty: "there are none",
      },
    ],
  },
];
