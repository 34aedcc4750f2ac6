const show = (id, text) => {
  document.getElementById(id).textContent = text;
};
const ask = async (url) => (await fetch(url)).json();

const [navigation] = performance.getEntriesByType("navigation");
show("protocol", `${location.protocol} ${navigation.nextHopProtocol}`);

const instances = [];
for (let n = 0; n < 4; n += 1) instances.push((await ask("/api/whoami")).instance);
show("api", `instances ${instances.join(", ")}`);

const socket = globalThis.io();
socket.on("served by", (instance) => socket.emit("say", `hello from ${instance}`));
socket.on("said", (text) => show("socket", text));

const report = await ask("/reports/daily?day=1");
show("reports", `${report.program}: ${report.path}`);

const response = await fetch("/billing/invoices?year=2026");
show("billing", response.ok ? await response.text() : `${response.status}`);
