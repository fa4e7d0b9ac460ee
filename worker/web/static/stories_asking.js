// Asks for rows: of stories that changed, those of a moment at once, or for the whole list.

import { answered, lose, told } from "./stories_link.js";
import { take, takeAll } from "./stories_order.js";
import { list } from "./stories_rows.js";

const { base, setClock } = storywire;
const GATHER_MS = 250; // changes of that long are asked for at once
const MOST_IDS = 100; // more than that: the whole list is asked for
const RETRY_MS = 2_000; // after rows that did not come
export const HIDDEN_MS = 60_000; // how often a page in the background asks
const ONE = { stories: "story", articles: "article" };

const asked = new Set(); // ids to ask for
let gathering = 0;

const address = (extra) => `${base}/rows?${[extra, list.dataset.query].filter(Boolean).join("&")}`;

// The list with these rows; the page is told the clock, the counts and the trouble that come with it.
export async function fetched(extra) {
  const answer = await fetch(address(extra), { headers: { accept: "text/html" }, signal: AbortSignal.timeout(15_000) });
  if (answer.status === 401 || answer.redirected) location.reload(); // the session is over
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector("ol.stories");
  if (!found) throw new Error("no list");
  setClock(Number(found.dataset.now));
  told(found.dataset.trouble);
  for (const name of Object.keys(ONE)) {
    const place = document.querySelector(`[data-count="${name}"]`), count = Number(found.dataset[name]);
    if (!place) continue;
    place.textContent = count.toLocaleString("en");
    place.nextElementSibling.textContent = count === 1 ? ONE[name] : name;
  }
  return found;
}

export function ask(id) {
  asked.add(id);
  gathering ||= setTimeout(gather, GATHER_MS);
}

// One answer is waited for at a time: an older one that came last would show what was.
async function gather() {
  let wait_ms = GATHER_MS;
  const ids = [...asked];
  asked.clear();
  try {
    if (ids.length > MOST_IDS) refresh();
    else take(await fetched(`ids=${ids.map(encodeURIComponent).join(",")}`), ids);
  } catch {
    for (const id of ids) asked.add(id);
    wait_ms = RETRY_MS;
  }
  gathering = asked.size ? setTimeout(gather, wait_ms) : 0;
}

// The whole list is asked for until it has come, and again where something happened while it was on its way.
let wanted = false, refreshing = false, retry = 0;
export const isWanted = () => wanted;
export async function refresh() {
  wanted = true;
  if (refreshing) return;
  refreshing = true;
  clearTimeout(retry);
  try {
    while (wanted) {
      wanted = false;
      takeAll(await fetched(""));
    }
    answered();
  } catch {
    wanted = true;
    lose();
    retry = setTimeout(refresh, document.hidden ? HIDDEN_MS : RETRY_MS);
  } finally { refreshing = false; }
}
