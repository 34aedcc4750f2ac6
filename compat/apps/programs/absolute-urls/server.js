const express = require("express");

const base = `http://localhost:${process.env.PORT}`;
const app = express();
app.get("/", (request, response) => response.json({ self: `${base}/`, next: new URL("/next", base) }));
app.get("/away", (request, response) => response.redirect(new URL("/", base).href));
app.listen(process.env.PORT);
