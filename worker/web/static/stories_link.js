// Whether the page is connected, and the words for it where it is not.

import { inPlace } from "./stories_reading.js";
import { list } from "./stories_rows.js";

const { now } = storywire;
const live = document.getElementById("live");
const lost = document.getElementById("lost");
const BLIP_MS = 2_500; // a connection that is back so soon was not lost

let stream = null, lostTimer = 0, lostAt = 0;
let trouble = document.querySelector(".notice.lost") ? list.dataset.trouble : "";

export const isLost = () => lostAt > 0;

export function state(name, words) {
  live.dataset.state = name;
  live.textContent = words;
  live.title = words;
}

// The stream by which changes come from now on.
export const through = (source) => { stream = source; };

export function lose() {
  lostAt ||= now();
  lostTimer ||= setTimeout(() => {
    state("lost", "Not connected");
    notice();
  }, BLIP_MS);
}

export function found() {
  clearTimeout(lostTimer);
  lostTimer = lostAt = 0;
  state(trouble ? "lost" : "live", trouble ? "Waiting for the server" : "Live");
  notice();
}

// An answer came: the page is connected again if the stream is, too.
export function answered() {
  if (lostAt && stream?.readyState === EventSource.OPEN) found();
}

// What the server says of the stories' server; nothing where that answers.
export function told(words) {
  if (words === trouble) return;
  trouble = words ?? "";
  inPlace(() => document.querySelector(".notice.lost")?.remove()); // what was so when the page was made
  if (!lostAt) found();
}

function notice() {
  const at = new Date((lostAt || now()) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const gone = lostAt && live.dataset.state === "lost";
  const said = document.querySelector(".notice.lost");
  const text = gone
    ? `Not connected to Storywire since ${at}. What is shown is what was known then; it is tried again until it answers.`
    : trouble && !said ? `The server of the stories is away: ${trouble}. What was known before is shown; it is tried again until it answers.` : "";
  if (lost.textContent !== text) {
    const words = document.createElement("span");
    words.textContent = text;
    lost.replaceChildren(...(text ? [words] : []));
  }
  lost.hidden = !text;
}
