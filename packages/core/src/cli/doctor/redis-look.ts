import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { systemClock } from "../../model/clock.ts";
import type { Finding } from "./finding.ts";

const patienceMs = 3_000;

/**
 * Whether the Redis of `REDIS_URL`, where apps and their Socket.IO adapters look for it, answers a PING. That is all that is asked of it.
 */
export async function lookAtRedis(url: string | undefined): Promise<readonly Finding[]> {
  if (url === undefined || url === "") return [];
  const check = "redis";
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol))
    return [{ check, level: "hint", what: "REDIS_URL is no redis:// address, and was not tried" }];
  const at = new URL(url);
  const where = `${at.hostname}:${at.port || "6379"}`;
  const began = systemClock.now();
  try {
    const said = await answerTo(at);
    if (said.startsWith("+PONG")) {
      const tookMs = Math.round(systemClock.now() - began);
      return [{ check, level: "ok", what: `${where} answers, in ${tookMs} ms` }];
    }
    const meaning = "It is there, and does not let the app in.";
    return [
      {
        check,
        level: "error",
        what: `${where} says ${said.slice(0, 80)}`,
        meaning,
        remedy: "the user and password in REDIS_URL",
      },
    ];
  } catch (error) {
    const meaning = "What the app keeps there is out of its reach.";
    const remedy = `redis-cli -h ${at.hostname} -p ${at.port || "6379"} ping`;
    return [{ check, level: "error", what: `${where} does not answer (${(error as Error).message})`, meaning, remedy }];
  }
}

/** Its answer to the last of what it is asked: it lets in, and is there. */
function answerTo({ protocol, hostname, port, username, password }: URL): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const to = { host, port: Number(port || 6_379) };
  return new Promise((resolve, reject) => {
    const socket = protocol === "rediss:" ? connectTls({ ...to, servername: host }) : connect(to);
    const timer = systemClock.after(
      patienceMs,
      () => socket.destroy(new Error(`no answer in ${patienceMs / 1_000} s`)),
      {
        keepAlive: true,
      },
    );
    const words = [decodeURIComponent(username), decodeURIComponent(password)].filter((word) => word !== "");
    const commands = [...(password === "" ? [] : [["AUTH", ...words]]), ["PING"]];
    socket.once(protocol === "rediss:" ? "secureConnect" : "connect", () => {
      for (const command of commands)
        socket.write(
          `*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`,
        );
    });
    let said = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const lines = said.split("\r\n");
      const refused = lines.find((line) => line.startsWith("-"));
      if (refused !== undefined) resolve(refused.slice(1));
      else if (lines.length > commands.length) resolve(lines[commands.length - 1]!);
      else return;
      socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      timer.cancel();
      reject(new Error("it closed the connection"));
    });
  });
}
