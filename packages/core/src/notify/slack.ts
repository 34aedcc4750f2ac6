import type { Messenger } from "./messenger.ts";
import { post } from "./post.ts";

/** Slack cuts what is longer. */
const maxTextLength = 3_900;

/** An incoming webhook of Slack's; Mattermost, Rocket.Chat and Discord (`…/slack`) take the same. */
export function slack(url: string): Messenger {
  return {
    name: `slack ${new URL(url).host}`,
    send: ({ text }, signal) => {
      const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
      const shown = escaped.length > maxTextLength ? `${escaped.slice(0, maxTextLength)}…` : escaped;
      return post({ url, headers: {}, body: JSON.stringify({ text: shown }), signal });
    },
  };
}
