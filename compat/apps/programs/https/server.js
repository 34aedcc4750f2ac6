const { createServer } = require("node:https");
const selfsigned = require("selfsigned");

selfsigned.generate([{ name: "commonName", value: "localhost" }], { keySize: 2048 }).then(({ private: key, cert }) => {
  createServer({ key, cert }, (request, response) => {
    if (request.method === "POST") request.pipe(response);
    else response.end("hello");
  }).listen(process.env.PORT);
});
