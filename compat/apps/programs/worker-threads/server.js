const { join } = require("node:path");
const express = require("express");
const { Piscina } = require("piscina");

const pool = new Piscina({ filename: join(__dirname, "fibonacci.js"), maxThreads: 2 });
const app = express();
app.get("/:n", async (request, response) => {
  response.json(await pool.run(Number(request.params.n)));
});
app.listen(process.env.PORT);
