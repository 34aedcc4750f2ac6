const { ServiceBroker } = require("moleculer");
const ApiService = require("moleculer-web");

const broker = new ServiceBroker({ logger: false });
broker.createService({
  name: "math",
  actions: { add: { rest: "GET /add", handler: ({ params }) => Number(params.a) + Number(params.b) } },
});
broker.createService({
  mixins: [ApiService],
  settings: { port: process.env.PORT, routes: [{ path: "/api", autoAliases: true }] },
});
broker.start();
