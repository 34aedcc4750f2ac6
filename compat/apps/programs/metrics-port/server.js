const express = require("express");
const metrics = require("prom-client");

metrics.collectDefaultMetrics();
const app = express();
app.get("/", (request, response) => response.send("hello"));
app.listen(process.env.PORT);

const inner = express();
inner.get("/metrics", async (request, response) => {
  response.type(metrics.register.contentType).send(await metrics.register.metrics());
});
inner.listen(19464);
