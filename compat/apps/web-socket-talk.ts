/**
 * Opens a WebSocket, sends one message at first and one after each that comes, and resolves with as many as were to come.
 * Rejects if it closes before.
 */
export function talk(
  url: string,
  { say, expect, protocol }: { say: readonly string[]; expect: number; protocol?: string },
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocol);
    const heard: string[] = [];
    const left = [...say];
    const sayNext = () => {
      const text = left.shift();
      if (text !== undefined) socket.send(text);
    };
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error(`only ${heard.length} of ${expect} messages came from ${url}`));
    }, 10_000);
    socket.addEventListener("open", sayNext);
    socket.addEventListener("message", ({ data }) => {
      heard.push(String(data));
      if (heard.length < expect) return sayNext();
      clearTimeout(timer);
      socket.close();
      resolve(heard);
    });
    const end = (what: string) => {
      clearTimeout(timer);
      reject(new Error(`${url}: ${what}`));
    };
    socket.addEventListener("error", (event) => end((event as ErrorEvent).message ?? "error"));
    socket.addEventListener("close", ({ code }) => end(`closed with ${code}`));
  });
}
