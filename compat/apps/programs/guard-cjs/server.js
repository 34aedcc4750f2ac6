const express = require("express");

const app = express();
app.get("/", (request, response) => response.send("hello"));
app.get("/away", (request, response) => response.redirect("/"));
module.exports = app;
if (require.main === module) app.listen(process.env.PORT);
