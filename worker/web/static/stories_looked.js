// What is new since one last looked, by the server's clock.

import { list } from "./stories_rows.js";

const { kept, now } = storywire;
const AWAY_S = 300; // who was away for longer has not been looking

let since = 0, shownAt = 0; // by the server's clock

export function look() {
  const looked = Number(kept.get("looked")) || 0, held = Number(kept.get("since")) || 0;
  since = !looked ? now() : now() - looked < AWAY_S ? held : looked;
  shownAt = now();
  kept.set("since", String(since));
  sign();
}

// All that is new by now has been shown.
export function shown() {
  since = shownAt;
  shownAt = now();
}

export function sign() {
  for (const row of list.children) {
    const fresh = since > 0 && Number(row.dataset.came) > since;
    const grew = since > 0 && !fresh && Number(row.dataset.fed) > since;
    row.classList.toggle("new", fresh);
    row.classList.toggle("grew", grew);
    const mark = row.querySelector(".mark");
    if (!mark) continue;
    mark.hidden = !fresh && !grew;
    const words = fresh ? "new since you last looked" : grew ? "grew since you last looked" : "";
    if (words) { mark.title = words; mark.setAttribute("role", "img"); mark.setAttribute("aria-label", words); }
  }
}

export const looking = () => kept.set("looked", String(now()));
