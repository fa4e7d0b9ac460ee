// A story's open page: says what came since, without moving what is read, and leads from the picture to the table.
"use strict";

(() => {
  const dossier = document.querySelector("[data-story]");
  const news = document.getElementById("news");
  if (!dossier || !news) return;
  const id = dossier.dataset.story;
  const shown = Number(dossier.dataset.articles);
  const [said, show] = [news.querySelector("span"), news.querySelector("a")];

  function tell(words, where) {
    said.textContent = words;
    if (where) show.href = where;
    news.hidden = false;
  }

  function compare(articles) {
    const more = articles - shown;
    if (more > 0) tell(more === 1 ? "1 new article" : `${more} new articles`);
    else if (more < 0) tell("This story has fewer articles now");
    else news.hidden = true;
  }

  function changed(story) {
    if (story.story !== id) return;
    if (story.articles !== shown || story.event === "grew") compare(story.articles);
    if (story.articles === shown && story.event !== "grew") tell("This story has changed");
  }

  function gone(what) {
    if (what.story !== id) return;
    const into = /^[a-z]+-[0-9a-z]+$/.test(what.into || "") ? what.into : "";
    if (into) tell(`This story is part of ${into} now`, `${storywire.base}/stories/${into}`);
    else tell("This story has ended");
  }

  // What was missed while the page was not looked at, or the server was away.
  async function catchUp() {
    try {
      const answer = await fetch(`${storywire.base}/api/v1/stories/${id}`, { headers: { accept: "application/json" } });
      if (!answer.ok) return;
      const story = await answer.json();
      if (story.story && story.story !== id) gone({ story: id, into: story.story });
      else if (Number.isFinite(story.articles)) compare(story.articles);
    } catch {} // away: the stream tries again
  }

  let stream = null;
  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource(`${storywire.base}/api/v1/stream`);
    const read = (then) => (event) => {
      try { then(JSON.parse(event.data)); } catch {} // nothing of ours
    };
    stream.addEventListener("story", read(changed));
    stream.addEventListener("gone", read(gone));
    stream.addEventListener("reset", catchUp);
    stream.addEventListener("open", catchUp);
  }
  // A browser opens six connections to a host: a page that nobody sees leaves them to others.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) listen();
    else if (stream) {
      stream.close();
      stream = null;
    }
  });
  addEventListener("pagehide", () => stream && stream.close());
  listen();

  const plot = document.querySelector(".plot");
  const mark = (n) => plot && plot.querySelector(`use[data-n="${n}"]`);
  const row = (n) => document.getElementById(`a${n}`);
  function pick(n, on) {
    for (const part of [mark(n), row(n)]) if (part) part.classList.toggle("picked", on);
  }
  if (plot) {
    for (const kind of ["pointerover", "pointerout"]) {
      plot.addEventListener(kind, (event) => {
        const n = event.target.closest("use")?.dataset.n;
        if (n) pick(n, kind === "pointerover");
      });
      document.querySelector("table.articles")?.addEventListener(kind, (event) => {
        const tr = event.target.closest("tr[id]");
        if (tr) mark(tr.id.slice(1))?.classList.toggle("picked", kind === "pointerover");
      });
    }
    plot.addEventListener("click", (event) => {
      const n = event.target.closest("use")?.dataset.n;
      if (!n) return;
      if (row(n)) location.hash = `a${n}`;
      else location.href = `?page=${Math.ceil(n / 100)}#a${n}`;
    });
  }
})();
