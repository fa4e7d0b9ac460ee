// The keyboard on the list of stories: letters do what the help says, but not while one types. Who opened a story by it
// and comes back goes on from that story.
"use strict";

(() => {
  const list = document.getElementById("stories");
  if (!list) return;
  const bar = document.getElementById("show");
  const help = document.getElementById("help");
  const search = document.getElementById("q");

  function step(by) {
    const rows = [...list.children];
    const at = rows.indexOf(document.activeElement?.closest?.(".story"));
    const first = Math.max(0, rows.findIndex((row) => row.getBoundingClientRect().bottom > 120));
    choose(rows[at < 0 ? first : Math.min(rows.length - 1, Math.max(0, at + by))]);
  }
  function choose(row) {
    if (!row) return;
    row.querySelector(".headline").focus({ preventScroll: true, focusVisible: true });
    row.scrollIntoView({ block: "nearest" });
  }

  list.addEventListener("click", (event) => {
    const row = event.target.closest(".story");
    const byKey = event.detail === 0; // else it was a pointer: the list may go on by itself
    if (row) history.replaceState({ read: byKey ? row.id : "" }, "");
  });
  addEventListener("pageshow", (event) => {
    const back = event.persisted || performance.getEntriesByType("navigation")[0]?.type === "back_forward";
    const read = back && history.state?.read;
    if (read) requestAnimationFrame(() => choose(list.querySelector(`:scope > [id="${CSS.escape(read)}"]`)));
  });

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    o: () => document.activeElement?.closest?.(".story")?.querySelector(".headline").click(),
    r: () => bar.click(),
    g: () => { document.activeElement?.blur?.(); window.scrollTo({ top: 0 }); },
    "/": () => search.focus(),
    "?": () => help.showModal(),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
    const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (event.key === "Escape") document.activeElement?.blur?.();
    else if (!typing && Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  document.getElementById("help-button").addEventListener("click", () => help.showModal());
})();
