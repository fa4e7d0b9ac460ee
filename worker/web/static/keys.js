// The keyboard on the list of stories: letters do what the help says, but not while one types.
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
    const next = rows[at < 0 ? first : Math.min(rows.length - 1, Math.max(0, at + by))];
    if (!next) return;
    next.querySelector(".headline").focus({ preventScroll: true, focusVisible: true });
    next.scrollIntoView({ block: "nearest" });
  }

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
