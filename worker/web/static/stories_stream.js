// The stream of changes: which stories changed, in the order in which they did.

import { ask, isWanted, refresh } from "./stories_asking.js";
import { found, lose, state, through } from "./stories_link.js";
import { gone } from "./stories_order.js";
import { list } from "./stories_rows.js";

const { base } = storywire;

let cursor = list.dataset.cursor; // what is shown is of then, or later
let source = null, again = 0, retry_ms = 1_000;

export function connect() {
  source?.close();
  clearTimeout(again);
  state("connecting", "Connecting");
  const from = [list.dataset.stream, `after=${encodeURIComponent(cursor)}`].filter(Boolean).join("&");
  source = new EventSource(`${base}/api/v1/stream?${from}`);
  through(source);
  source.addEventListener("open", () => {
    retry_ms = 1_000;
    if (!isWanted()) found();
  });
  source.addEventListener("story", (event) => {
    cursor = event.lastEventId || cursor;
    const { story } = JSON.parse(event.data);
    if (story) ask(story);
  });
  source.addEventListener("gone", (event) => {
    cursor = event.lastEventId || cursor;
    const { story, into: whole } = JSON.parse(event.data);
    if (gone(story, whole ?? "")) ask(story);
  });
  source.addEventListener("reset", (event) => { cursor = event.lastEventId || cursor; refresh(); });
  source.addEventListener("error", () => {
    lose();
    if (source.readyState === EventSource.CLOSED) { // an answer that was none: browsers leave it at that
      clearTimeout(again);
      again = setTimeout(connect, retry_ms);
      refresh(); // says whether the session is over, and what is new meanwhile
      retry_ms = Math.min(retry_ms * 2, 30_000);
    }
  });
}

export function close() {
  source?.close();
  clearTimeout(again);
}
