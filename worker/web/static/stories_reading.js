// Whoever reads, points or types: what they look at stays where it is on the screen.

import { list, rowsNow } from "./stories_rows.js";

const help = document.getElementById("help");

// Change the list with what one reads staying where it is on the screen.
export function inPlace(change) {
  const held = anchor();
  const top = held?.getBoundingClientRect().top;
  change();
  if (held?.isConnected) {
    const by = held.getBoundingClientRect().top - top;
    if (Math.abs(by) >= 1) window.scrollBy({ top: by, behavior: "instant" });
  }
}

function anchor() {
  if (window.scrollY < 8 && !reading()) return null;
  const chosen = pointed() ?? document.activeElement?.closest?.(".story");
  if (chosen) return chosen;
  return rowsNow().find((row) => row.getBoundingClientRect().bottom > 100) ?? null;
}

const canHover = matchMedia("(hover: hover)");
const pointed = () => (canHover.matches ? list.querySelector(".story:hover") : null);
function reading() {
  const chosen = getSelection();
  return Boolean(
    pointed() || list.contains(document.activeElement) || help.open ||
    (chosen && !chosen.isCollapsed && list.contains(chosen.anchorNode)),
  );
}
export const atRest = () => window.scrollY < 8 && !reading() && !document.hidden;
