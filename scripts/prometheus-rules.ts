// Alert rules for Prometheus, of metrics that there are: docs/prometheus-rules.yml.
import { metrics } from "../packages/core/src/admin/metrics/metrics.ts";

interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: "page" | "ticket";
  readonly summary: string;
}

/** Thresholds are to be changed by those who know their app. */
const rules: readonly AlertRule[] = [
  {
    alert: "LbDown",
    expr: 'up{job="lb"} == 0',
    for: "1m",
    severity: "page",
    summary: "The cluster at {{ $labels.instance }} cannot be scraped",
  },
  {
    alert: "LbInstanceDown",
    expr: "lb_instance_up == 0",
    for: "2m",
    severity: "page",
    summary: "Instance {{ $labels.id }} of {{ $labels.backend }} takes no traffic",
  },
  {
    alert: "LbCrashLoop",
    expr: 'lb_instance_state{state="crash-loop"} == 1',
    for: "0m",
    severity: "page",
    summary: "Instance {{ $labels.id }} of {{ $labels.backend }} dies again and again",
  },
  {
    alert: "LbBackendDown",
    expr: "sum by (job, instance, backend) (lb_backend_up) == 0",
    for: "1m",
    severity: "page",
    summary: "No endpoint of {{ $labels.backend }} takes traffic",
  },
  {
    alert: "LbErrors",
    expr:
      'sum by (job, instance) (rate(lb_requests_total{status="5xx"}[5m])) ' +
      "/ sum by (job, instance) (rate(lb_requests_total[5m])) > 0.05",
    for: "5m",
    severity: "page",
    summary: "{{ $value | humanizePercentage }} of the requests fail",
  },
  {
    alert: "LbSlow",
    expr:
      "histogram_quantile(0.95, " + "sum by (job, instance, le) (rate(lb_request_duration_seconds_bucket[5m]))) > 1",
    for: "10m",
    severity: "ticket",
    summary: "One request in twenty takes longer than {{ $value | humanizeDuration }}",
  },
  {
    alert: "LbReloadRolledBack",
    expr: 'increase(lb_reloads_total{result="rolled-back"}[10m]) > 0',
    for: "0m",
    severity: "ticket",
    summary: "A reload came to nothing, and the old version serves on",
  },
  {
    alert: "LbConnectionsRefused",
    expr: 'sum by (job, instance, reason) (rate(lb_connections_refused_total{reason!="denied"}[5m])) > 0',
    for: "5m",
    severity: "ticket",
    summary: "Connections are refused: {{ $labels.reason }}",
  },
  {
    alert: "LbEventLoopBusy",
    expr: "lb_instance_event_loop_utilization_ratio > 0.9 or lb_primary_event_loop_utilization_ratio > 0.9",
    for: "10m",
    severity: "ticket",
    summary: "An event loop is busy {{ $value | humanizePercentage }} of the time",
  },
  {
    alert: "LbCertificateExpires",
    expr: "lb_certificate_expiry_timestamp_seconds - time() < 14 * 86400",
    for: "1h",
    severity: "ticket",
    summary: "The certificate for {{ $labels.certificate }} expires in {{ $value | humanizeDuration }}",
  },
];

/** @throws Error for a rule about a metric that does not exist */
export function prometheusRules(): string {
  const names = metrics.flatMap(({ name, type }) => (type === "counter" ? `${name}_total` : name));
  for (const { alert, expr } of rules) {
    for (const [used] of expr.matchAll(/\blb_\w+/g)) {
      if (!names.includes(used.replace(/_bucket$/, ""))) throw new Error(`${alert}: there is no metric ${used}`);
    }
  }
  const head = "# Made by `pnpm docs:metrics`; copy it, and set the thresholds that fit your app.";
  return `${head}\ngroups:\n  - name: lb\n    rules:\n${rules.map(ruleText).join("")}`;
}

function ruleText({ alert, expr, for: wait, severity, summary }: AlertRule): string {
  return [
    `      - alert: ${alert}`,
    `        expr: ${quoted(expr)}`,
    `        for: ${wait}`,
    "        labels:",
    `          severity: ${severity}`,
    "        annotations:",
    `          summary: ${quoted(summary)}`,
    "",
  ].join("\n");
}

/** As the formatter has it. None of these texts has both kinds of quotes. */
function quoted(text: string): string {
  return text.includes('"') ? `'${text}'` : JSON.stringify(text);
}
