import type { App } from "../../app.ts";
import { talk } from "../../web-socket-talk.ts";

export const app: App = {
  title: "Apollo Server with subscriptions (graphql-ws)",
  packages: {
    "@apollo/server": "5.5.1",
    "@as-integrations/express5": "1.1.2",
    "@graphql-tools/schema": "11.0.6",
    express: "5.3.0",
    graphql: "16.15.0",
    "graphql-ws": "6.4.2",
    ws: "8.23.0",
  },
  install: "shared",
  manifest: { type: "module" },
  entry: "server.js",
  requests: [
    {
      path: "/graphql",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"query":"{ hello }"}',
    },
    { path: "/graphql", method: "POST", headers: { "content-type": "application/json" }, body: '{"query":"{ none }"}' },
    { path: "/none" },
  ],
  loadPath: "/graphql?query=%7Bhello%7D",
  async probe({ url }) {
    const id = "1";
    const query = "subscription { count(to: 3) }";
    return talk(`${url.replace("http", "ws")}/graphql`, {
      protocol: "graphql-transport-ws",
      say: [JSON.stringify({ type: "connection_init" }), JSON.stringify({ id, type: "subscribe", payload: { query } })],
      expect: 5,
    });
  },
};
