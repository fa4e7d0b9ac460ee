// Keeps the open list of stories up to date without moving what one is reading.
//
//   change (SSE) -> ids -> their rows (/rows?ids=) -> rows that are shown change in place; what is new, or would move,
//   waits behind the bar, unless the page is at its top and nobody points at the list
//
//   stories_stream -> stories_asking -> stories_order -> stories_rows; stories_link says where that is broken

import { HIDDEN_MS, fetched, isWanted, refresh } from "./stories_asking.js";
import { answered, isLost, lose } from "./stories_link.js";
import { look, looking } from "./stories_looked.js";
import { age, settle, show } from "./stories_order.js";
import { list } from "./stories_rows.js";
import { close, connect } from "./stories_stream.js";

const LOOK_MS = 10_000; // whether the server of the stories is there

document.getElementById("show").addEventListener("click", show);
list.addEventListener("pointerleave", () => setTimeout(settle, 400));
list.addEventListener("focusout", () => setTimeout(settle, 400));
list.addEventListener("shortened", refresh);
addEventListener("scroll", () => { if (window.scrollY < 8) settle(); }, { passive: true });
addEventListener("pagehide", looking);

// What was left empty is not in the address, which people hand on.
document.querySelector("form.filter").addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});

// A page in the background holds no connection (browsers have six of them a site): it asks now and then.
let background = 0;
function rest() {
  close();
  background = setInterval(refresh, HIDDEN_MS);
}
function begin() {
  look();
  connect();
  settle();
  if (isWanted()) refresh();
}
document.addEventListener("visibilitychange", () => {
  clearInterval(background);
  if (document.hidden) {
    looking();
    rest();
  } else begin();
});
addEventListener("pageshow", (event) => { if (event.persisted && !document.hidden) begin(); });
setInterval(async () => {
  if (document.hidden) return;
  age();
  if (!isLost()) looking();
  try {
    await fetched("ids=");
    if (!isWanted()) answered();
  } catch { lose(); }
}, LOOK_MS);

look();
if (document.hidden) rest(); // opened in the background: nobody has looked
else {
  looking();
  connect();
}
