// What every page has: the choice of colours, and times that go on ("5 min ago").
//   <time datetime="..." data-ago>   its text is how long ago that was, by the server's clock (data-now of <html> or of
//                                    any element; else this machine's)
"use strict";

const storywire = (() => {
  const root = document.documentElement;

  const kept = {
    get(name) {
      try { return localStorage.getItem("storywire." + name); } catch { return null; }
    },
    set(name, value) {
      try { localStorage.setItem("storywire." + name, value); } catch {} // a browser that keeps nothing
    },
    drop(name) {
      try { localStorage.removeItem("storywire." + name); } catch {}
    },
  };

  // The server's time, whatever this machine's clock says.
  let ahead = 0;
  const told = document.querySelector("[data-now]");
  const setClock = (now_s) => { if (now_s > 0) ahead = now_s - Date.now() / 1000; };
  const now = () => Date.now() / 1000 + ahead;
  if (told) setClock(Number(told.dataset.now));

  // The same words as worker/web/pages/rows.py has.
  function ago(seconds) {
    if (seconds < 60) return "just now";
    if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 2 * 86400) return `${Math.floor(seconds / 3600)} h ago`;
    if (seconds < 2 * 365.25 * 86400) return `${Math.floor(seconds / 86400)} d ago`;
    return `${Math.floor(seconds / (365.25 * 86400))} y ago`;
  }

  function tick(within = document) {
    for (const time of within.querySelectorAll("time[data-ago]")) {
      const at = Date.parse(time.dateTime) / 1000;
      const text = Number.isFinite(at) ? ago(Math.max(0, now() - at)) : "";
      if (text && time.textContent !== text) time.textContent = text;
    }
  }
  setInterval(tick, 10_000);
  tick();

  const choices = ["system", "light", "dark"];
  const words = { system: "as the system has them", light: "light", dark: "dark" };
  const toggle = document.querySelector("[data-theme-toggle]");
  function showTheme() {
    const chosen = root.dataset.theme || "system";
    toggle.setAttribute("aria-label", `Colours: ${words[chosen]}`);
    toggle.title = `Colours: ${words[chosen]}`;
  }
  if (toggle) {
    showTheme();
    toggle.addEventListener("click", () => {
      const next = choices[(choices.indexOf(root.dataset.theme || "system") + 1) % choices.length];
      if (next === "system") delete root.dataset.theme;
      else root.dataset.theme = next;
      if (next === "system") kept.drop("theme");
      else kept.set("theme", next);
      showTheme();
    });
  }

  return { base: root.dataset.base || "", kept, now, setClock, ago, tick };
})();
