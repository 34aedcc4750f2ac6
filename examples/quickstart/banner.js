/** What the demo prints once all instances are ready. */
export function banner(app) {
  const { url, instances, strategy } = app.status();
  const rows = instances.map(({ id, port, pid }) => `    instance ${id}   http://127.0.0.1:${port}   pid ${pid}`);
  return `
  lb is running: ${instances.length} instances behind one port (${strategy})

    public       ${url}
${rows.join("\n")}

  Try it
    open ${url} and watch which instance answers
    for i in 1 2 3 4 5 6 7 8; do curl -s ${url}/api/whoami; echo; done
    kill -9 ${instances[0].pid}     the others answer, a new instance 1 is there at once

  Ctrl-C stops it.
`;
}
