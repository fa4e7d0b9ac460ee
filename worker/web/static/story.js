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
      if (answer.status === 401) return location.reload(); // the session is over
      if (answer.status === 404) return gone({ story: id });
      if (!answer.ok) return;
      const story = await answer.json();
      if (story.story && story.story !== id) gone({ story: id, into: story.story });
      else if (Number.isFinite(story.articles)) compare(story.articles);
    } catch {} // away: the stream tries again
  }

  let stream = null, again = 0, retry_ms = 1_000;
  function close() {
    clearTimeout(again);
    stream?.close();
    stream = null;
  }
  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource(`${storywire.base}/api/v1/stream?story=${id}`);
    const read = (then) => (event) => {
      try { then(JSON.parse(event.data)); } catch {} // nothing of ours
    };
    stream.addEventListener("story", read(changed));
    stream.addEventListener("gone", read(gone));
    stream.addEventListener("reset", catchUp);
    stream.addEventListener("open", () => { retry_ms = 1_000; catchUp(); });
    stream.addEventListener("error", () => {
      if (stream?.readyState !== EventSource.CLOSED) return; // it tries again by itself
      close(); // an answer that was none: browsers leave it at that
      catchUp();
      again = setTimeout(listen, retry_ms);
      retry_ms = Math.min(retry_ms * 2, 30_000);
    });
  }
  // A browser opens six connections to a host: a page that nobody sees leaves them to others.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else listen();
  });
  addEventListener("pagehide", close);
  listen();

  // Escape: to the list that one came from, where it was.
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
    if (document.activeElement?.matches("input, select, textarea")) return document.activeElement.blur();
    const home = `${location.origin}${storywire.base}/`;
    const fromList = document.referrer.split("?")[0] === home;
    if (fromList && !location.hash) history.back();
    else location.href = fromList ? document.referrer : home;
  });

  const marks = [...document.querySelectorAll(".marks use")]; // in the order of the articles' numbers
  const table = document.querySelector("table.articles");
  const number = (target) => marks.indexOf(target.closest("use")) + 1;
  const row = (n) => document.getElementById(`a${n}`);
  function pick(n, on) {
    for (const part of [marks[n - 1], row(n)]) part?.classList.toggle("picked", on);
  }
  for (const kind of ["pointerover", "pointerout"]) {
    const on = kind === "pointerover";
    document.querySelector(".plot")?.addEventListener(kind, (event) => pick(number(event.target), on));
    table?.addEventListener(kind, (event) => pick(Number(event.target.closest("tr[id]")?.id.slice(1)), on));
  }
  document.querySelector(".plot")?.addEventListener("click", (event) => {
    const n = number(event.target);
    if (!n) return;
    if (row(n)) location.hash = `a${n}`;
    else location.href = `?page=${Math.ceil(n / Number(table.dataset.perPage))}#a${n}`;
  });
})();
