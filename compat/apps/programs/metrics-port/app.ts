import type { App } from "../../app.ts";

export const app: App = {
  title: "metrics on a second, fixed port (prom-client)",
  packages: { express: "5.3.0", "prom-client": "15.1.3" },
  install: "shared",
  entry: "server.js",
  otherPorts: [19464],
  requests: [{ path: "/" }, { path: "/none" }],
  async probe({ load }) {
    void load;
    const response = await fetch("http://127.0.0.1:19464/metrics");
    return [response.status, (await response.text()).includes("process_cpu_seconds_total")];
  },
  quick: "proxy",
};
