// pnpm bench <name> [options]: runs bench/<name>.ts.
const [name, ...rest] = process.argv.slice(2);
const benchmarks = ["proxy", "tls", "handoff", "tunnels", "sockets", "express", "files", "overload", "turns"];
if (name === undefined || !benchmarks.includes(name)) {
  console.error(`usage: pnpm bench <${benchmarks.join(" | ")}> [options]`);
  process.exitCode = 2;
} else {
  process.argv.splice(2, process.argv.length, ...rest);
  await import(`./${name}.ts`);
}
