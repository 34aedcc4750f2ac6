const { createSecureServer } = require("node:http2");
const selfsigned = require("selfsigned");

selfsigned.generate([{ name: "commonName", value: "localhost" }], { keySize: 2048 }).then(({ private: key, cert }) => {
  createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
    if (request.method === "POST") request.pipe(response);
    else response.end("hello");
  }).listen(process.env.PORT);
});
