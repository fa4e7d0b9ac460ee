// The chosen colours, before anything is drawn: "light", "dark", or as the system has them.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const chosen = localStorage.getItem("storywire.theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch {} // a browser that keeps nothing: as the system has them
})();
