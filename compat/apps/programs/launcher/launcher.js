const { spawn } = require("node:child_process");
const { join } = require("node:path");

const child = spawn(process.execPath, [join(__dirname, "server.js")], { stdio: "inherit" });
child.on("exit", (code) => process.exit(code ?? 1));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));
