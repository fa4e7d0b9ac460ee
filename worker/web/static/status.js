// The page of status, fresh every five seconds while somebody looks: not while the page is hidden, nor while a part of
// it is selected or has the focus of the keyboard.
"use strict";

(() => {
  const EVERY_MS = 5000;
  const box = document.getElementById("now");
  const lost = document.getElementById("lost");
  const told = document.getElementById("told");
  if (!box || !window.fetch) return;
  let timer = 0;
  let shown = box.innerHTML;
  let said = box.querySelector("[data-overall]").dataset.overall;

  const inUse = () => {
    const selection = document.getSelection();
    return (selection && !selection.isCollapsed && box.contains(selection.anchorNode)) || box.contains(document.activeElement);
  };

  function show(text) {
    if (text === shown || inUse()) return;
    shown = text;
    const fresh = new DOMParser().parseFromString(text, "text/html");
    box.replaceChildren(...fresh.body.childNodes);
    const head = box.querySelector("[data-overall]");
    if (typeof storywire !== "undefined") {
      storywire.setClock(Number(head.dataset.now));
      storywire.tick(box);
    }
    if (head.dataset.overall !== said) {
      said = head.dataset.overall;
      told.textContent = said;
      document.title = `${said} · Status · Storywire`;
    }
  }

  async function refresh() {
    timer = 0;
    try {
      const answer = await fetch(box.dataset.from, { cache: "no-store" });
      if (answer.status === 401 || answer.redirected) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.text());
      lost.hidden = true;
    } catch {
      lost.hidden = false;
    }
    plan();
  }

  function plan() {
    if (!timer && !document.hidden) timer = setTimeout(refresh, EVERY_MS);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    timer = 0;
    if (!document.hidden) refresh();
  });
  plan();
})();
