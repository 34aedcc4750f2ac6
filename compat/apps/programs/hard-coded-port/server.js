const express = require("express");

const app = express();
app.get("/", (request, response) => response.send("hello"));
app.get("/away", (request, response) => response.redirect("http://localhost:6823/"));
app.listen(6823, () => console.log("Example app listening on port 6823"));
