const express = require("express");

const app = express();
app.get("/", (request, response) => response.send("hello"));
app.get("/away", (request, response) => response.redirect("http://localhost:18123/"));
app.listen(18123, () => console.log("Example app listening on port 18123"));
