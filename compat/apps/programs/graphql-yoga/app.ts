import type { App } from "../../app.ts";

export const app: App = {
  title: "GraphQL Yoga (subscriptions by SSE)",
  packages: { "graphql-yoga": "5.24.1", graphql: "16.15.0" },
  install: "shared",
  manifest: { type: "module" },
  entry: "server.js",
  requests: [
    { path: "/graphql?query=%7Bhello%7D" },
    {
      path: "/graphql",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"query":"{ hello }"}',
    },
    {
      path: "/graphql",
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: '{"query":"subscription { count(to: 3) }"}',
    },
    { path: "/none" },
  ],
};
