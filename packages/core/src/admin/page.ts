/** What is asked of a page. */
export interface PageRequest {
  readonly query: URLSearchParams;
  readonly accept: string;
}

/** What a page says. */
export interface PageAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What the admin listener shows at one path. Answers at once, from what is known. */
export type Page = (request: PageRequest) => PageAnswer;

/** So that programs which read it can tell when its meaning changes. */
const apiVersion = 1;

export function jsonAnswer(content: object, status = 200): PageAnswer {
  return { status, contentType: "application/json", body: JSON.stringify({ version: apiVersion, ...content }) };
}
