import { type Metric, single } from "./metric.ts";

/** How complete the metrics of the app's own are, which are told behind all of these. */
export const appMetrics: readonly Metric[] = [
  {
    name: "lb_app_metrics_instances",
    type: "gauge",
    help: "Instances that have metrics of the app's own, by whether they told them this time",
    labels: ["result"],
    samples: ({ app }) =>
      app === undefined
        ? []
        : [
            { labels: ["answered"], value: app.answered },
            { labels: ["late"], value: app.late },
          ],
  },
  {
    name: "lb_app_metrics_dropped_series",
    type: "gauge",
    help: "Series of the app's own metrics that are not told, for their number or since their names begin with lb_",
    labels: [],
    samples: ({ app }) => single(app?.dropped),
  },
];
