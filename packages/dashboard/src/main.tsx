import { render } from "preact";
import { Actions } from "./api/actions.ts";
import { eventFeed } from "./api/event-feed.ts";
import { HistoryFeed } from "./api/history-feed.ts";
import { statusFeed } from "./api/status-feed.ts";
import { browserClock } from "./clock.ts";
import { App } from "./view/app.tsx";
import { storedTheme } from "./view/theme.ts";

storedTheme().apply();
render(
  <App
    clock={browserClock}
    status={statusFeed(browserClock)}
    history={new HistoryFeed(browserClock)}
    events={eventFeed(browserClock)}
    actions={new Actions()}
  />,
  document.querySelector("#app")!,
);
