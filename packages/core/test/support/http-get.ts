import { type Agent, type IncomingHttpHeaders, request } from "node:http";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpGetOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

export function httpGet(
  url: string,
  { method = "GET", headers = {}, body, agent }: HttpGetOptions = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: agent ?? false, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

export async function httpGetJson(url: string): Promise<unknown> {
  const { status, body } = await httpGet(url);
  if (status !== 200) throw new Error(`${url} answered ${status}: ${body}`);
  return JSON.parse(body);
}
