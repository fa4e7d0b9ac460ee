// Keeps the open list of stories up to date without moving what one is reading.
//
//   change (SSE) -> ids -> their rows (/rows?ids=) -> rows that are shown change in place; what is new, or would move,
//   waits behind the bar, unless the page is at its top and nobody points at the list
"use strict";

(() => {
  const { base, kept, now, setClock, tick } = storywire;
  const list = document.getElementById("stories");
  if (!list) return;
  const bar = document.getElementById("show");
  const lost = document.getElementById("lost");
  const live = document.getElementById("live");
  const help = document.getElementById("help");
  const more = document.getElementById("more");
  const query = list.dataset.query;
  const firstPage = list.dataset.firstPage === "1";
  const limit = Number(list.dataset.limit);

  const GATHER_MS = 250; // changes of that long are asked for at once
  const MOST_IDS = 100; // more than that: the whole list is asked for
  const LOOK_MS = 10_000; // whether the server of the stories is there
  const HIDDEN_MS = 60_000; // how often a page in the background asks
  const AWAY_S = 300; // who was away for longer has not been looking
  const BLIP_MS = 2_500; // a connection that is back so soon was not lost
  const ONE = { stories: "story", articles: "article" };
  const RETRY_MS = 2_000; // after rows that did not come

  const rowsNow = () => [...list.children];
  const rowOf = (id) => list.querySelector(`:scope > [id="${CSS.escape(id)}"]`);
  const waiting = new Map(); // id -> row that is not shown yet
  const moved = new Set(); // ids of shown rows that changed since the list was last put in order
  const asked = new Set(); // ids to ask for
  const into = new Map(); // id of a story that is gone -> the story that it is part of, or ""

  // ---- rows -----------------------------------------------------------------------------------------------------

  const address = (extra) => `${base}/rows?${[extra, query].filter(Boolean).join("&")}`;

  async function fetched(extra) {
    const answer = await fetch(address(extra), { headers: { accept: "text/html" }, signal: AbortSignal.timeout(15_000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("ol.stories");
    if (!found) throw new Error("no list");
    setClock(Number(found.dataset.now));
    told(found.dataset.trouble);
    for (const name of Object.keys(ONE)) {
      const place = document.querySelector(`[data-count="${name}"]`), count = Number(found.dataset[name]);
      if (!place) continue;
      place.textContent = count.toLocaleString("en");
      place.nextElementSibling.textContent = count === 1 ? ONE[name] : name;
    }
    return found;
  }

  const placeOf = (row) => row.dataset.place.split(" ").map(Number);
  function before(a, b) {
    const one = placeOf(a), two = placeOf(b);
    for (let i = 0; i < one.length; i++) if (one[i] !== two[i]) return one[i] - two[i];
    return 0;
  }

  // Make a shown row what it is now; true where that changes anything that is seen.
  function update(row, fresh) {
    const articles = Number(fresh.dataset.articles), was = Number(row.dataset.articles);
    const parts = (of) => new Map([...of.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    const own = parts(row);
    let changed = row.classList.contains("gone");
    row.classList.remove("gone");
    for (const [name, part] of parts(fresh)) {
      const mine = own.get(name);
      if (name === "articles") {
        row.dataset.base ??= was;
        const grown = articles - Number(row.dataset.base);
        if (grown > 0) part.prepend(delta(grown));
      }
      if (!mine || mine.isEqualNode(part)) continue;
      if (name !== "when") changed = true;
      if (name === "headline") { // stays the same element: it may have the focus
        mine.textContent = part.textContent;
        if (part.lang) mine.lang = part.lang;
      } else mine.replaceWith(document.importNode(part, true));
    }
    for (const [name, value] of Object.entries(fresh.dataset)) row.dataset[name] = value;
    return changed;
  }

  function delta(grown) {
    const mark = document.createElement("span");
    mark.className = "delta";
    mark.textContent = `+${grown}`;
    return mark;
  }

  function flash(row) {
    row.classList.remove("changed");
    void row.offsetWidth; // so that it runs again
    row.classList.add("changed");
  }

  // Change the list with what one reads staying where it is on the screen.
  function inPlace(change) {
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
  const atRest = () => window.scrollY < 8 && !reading() && !document.hidden;

  // Rows that were asked for by id have come.
  function take(found, ids) {
    const fresh = new Map([...found.children].map((row) => [row.id, row]));
    inPlace(() => {
      for (const id of ids) {
        const row = rowOf(id), come = fresh.get(id);
        if (row && come) {
          if (update(row, come)) { flash(row); moved.add(id); }
        } else if (row) leave(row);
        else if (come && firstPage) waiting.set(id, document.importNode(come, true));
        else waiting.delete(id);
      }
      sign();
    });
    settle();
  }

  function leave(row) {
    row.classList.add("gone");
    moved.add(row.id);
    const whole = into.get(row.id);
    const by = row.querySelector(".by");
    if (whole && by) by.textContent = `now part of ${rowOf(whole)?.querySelector(".headline")?.textContent ?? whole}`;
  }

  // The whole list has come: what is not on it any more leaves, unless it is below where this one ends.
  function takeAll(found) {
    const ids = new Set([...found.children].map((row) => row.id));
    const last = found.lastElementChild;
    const shown = rowsNow().filter((row) => !ids.has(row.id) && (!last || found.dataset.more === "" || before(row, last) < 0));
    take(found, [...ids, ...shown.map((row) => row.id)]);
    if (rowsNow().length <= limit && more) {
      more.hidden = !found.dataset.more;
      more.href = `${base}/?${found.dataset.more}`;
    }
  }

  // What has been quiet for longer than is asked for leaves.
  const since_s = Number(list.dataset.sinceS);
  const quiet = (row) => Date.parse(row.querySelector(".when").dateTime) / 1000 < now() - since_s - 1; // it has no fractions
  function age() {
    if (!since_s) return;
    for (const [id, row] of waiting) if (quiet(row)) waiting.delete(id);
    for (const row of rowsNow()) if (quiet(row) && !row.classList.contains("gone")) leave(row);
    settle();
  }

  // Put everything where it belongs.
  function arrange(byHand) {
    const focused = document.activeElement;
    for (const row of rowsNow()) {
      if (row.classList.contains("gone")) row.remove();
      else if (byHand) {
        row.classList.remove("changed");
        row.querySelector(".delta")?.remove();
        row.dataset.base = row.dataset.articles;
      }
    }
    for (const row of waiting.values()) {
      row.classList.add("came");
      list.append(row);
    }
    waiting.clear();
    moved.clear();
    into.clear();
    const rows = rowsNow().sort(before);
    rows.forEach((row, at) => { if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null); });
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
    if (rows.length) document.getElementById("empty")?.remove();
    sign();
    tick(list);
    say();
    if (rows.length > 3 * limit) {
      for (const row of rows.slice(limit)) row.remove();
      refresh();
    }
  }

  function outOfOrder() {
    const rows = rowsNow();
    return rows.some((row, at) => row.classList.contains("gone") || (at > 0 && before(rows[at - 1], row) > 0));
  }

  function settle() {
    if (!waiting.size && !outOfOrder()) { moved.clear(); say(); return; }
    if (atRest()) arrange(false);
    else say();
  }

  function say() {
    const news = waiting.size, others = moved.size;
    const words = [];
    if (news) words.push(`${news} new ${news === 1 ? "story" : "stories"}`);
    if (others) words.push(`${others} changed`);
    const text = words.length && (news || outOfOrder()) ? `${words.join(", ")}: show` : "";
    if (bar.textContent !== text) bar.textContent = text;
    bar.hidden = !text;
    document.title = (news ? `(${news}) ` : "") + document.title.replace(/^\(\d+\) /, "");
  }

  function show() {
    since = shownAt;
    shownAt = now();
    arrange(true);
    window.scrollTo({ top: 0, behavior: "instant" });
  }
  bar.addEventListener("click", show);
  list.addEventListener("pointerleave", () => setTimeout(settle, 400));
  list.addEventListener("focusout", () => setTimeout(settle, 400));
  addEventListener("scroll", () => { if (window.scrollY < 8) settle(); }, { passive: true });

  // ---- what is new since one last looked --------------------------------------------------------------------------

  let since = 0, shownAt = 0; // by the server's clock
  function look() {
    const looked = Number(kept.get("looked")) || 0, held = Number(kept.get("since")) || 0;
    since = !looked ? now() : now() - looked < AWAY_S ? held : looked;
    shownAt = now();
    kept.set("since", String(since));
    sign();
  }
  function sign() {
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
  const looking = () => kept.set("looked", String(now()));
  addEventListener("pagehide", looking);

  // ---- the stream ---------------------------------------------------------------------------------------------------

  let cursor = list.dataset.cursor; // what is shown is of then, or later
  let source = null, gathering = 0, again = 0, lostTimer = 0, retry_ms = 1_000, lostAt = 0;
  let trouble = document.querySelector(".notice.lost") ? list.dataset.trouble : "";

  function state(name, words) {
    live.dataset.state = name;
    live.textContent = words;
    live.title = words;
  }

  function connect() {
    source?.close();
    clearTimeout(again);
    state("connecting", "Connecting");
    const from = [list.dataset.stream, `after=${encodeURIComponent(cursor)}`].filter(Boolean).join("&");
    source = new EventSource(`${base}/api/v1/stream?${from}`);
    source.addEventListener("open", () => {
      retry_ms = 1_000;
      if (!wanted) found();
    });
    source.addEventListener("story", (event) => {
      cursor = event.lastEventId || cursor;
      const { story } = JSON.parse(event.data);
      if (story) ask(story);
    });
    source.addEventListener("gone", (event) => {
      cursor = event.lastEventId || cursor;
      const { story, into: whole } = JSON.parse(event.data);
      into.set(story, whole ?? "");
      if (rowOf(story) || waiting.has(story)) ask(story);
    });
    source.addEventListener("reset", (event) => { cursor = event.lastEventId || cursor; refresh(); });
    source.addEventListener("error", () => {
      lose();
      if (source.readyState === EventSource.CLOSED) { // an answer that was none: browsers leave it at that
        clearTimeout(again);
        again = setTimeout(connect, retry_ms);
        retry_ms = Math.min(retry_ms * 2, 30_000);
      }
    });
  }

  function ask(id) {
    asked.add(id);
    gathering ||= setTimeout(gather, GATHER_MS);
  }

  async function gather() {
    gathering = 0;
    const ids = [...asked];
    asked.clear();
    if (ids.length > MOST_IDS) return refresh();
    try {
      take(await fetched(`ids=${ids.map(encodeURIComponent).join(",")}`), ids);
    } catch {
      for (const id of ids) asked.add(id);
      gathering ||= setTimeout(gather, RETRY_MS);
    }
  }

  // The whole list is asked for until it has come, and again where something happened while it was on its way.
  let wanted = false, refreshing = false, retry = 0;
  async function refresh() {
    wanted = true;
    if (refreshing) return;
    refreshing = true;
    clearTimeout(retry);
    try {
      while (wanted) {
        wanted = false;
        takeAll(await fetched(""));
      }
      answered();
    } catch {
      wanted = true;
      lose();
      retry = setTimeout(refresh, document.hidden ? HIDDEN_MS : RETRY_MS);
    } finally { refreshing = false; }
  }

  function answered() {
    if (lostAt && !wanted && source?.readyState === EventSource.OPEN) found();
  }

  function lose() {
    lostAt ||= now();
    lostTimer ||= setTimeout(() => {
      state("lost", "Not connected");
      notice();
    }, BLIP_MS);
  }

  function found() {
    clearTimeout(lostTimer);
    lostTimer = lostAt = 0;
    state(trouble ? "lost" : "live", trouble ? "Waiting for the server" : "Live");
    notice();
  }

  function told(words) {
    if (words === trouble) return;
    trouble = words ?? "";
    inPlace(() => document.querySelector(".notice.lost")?.remove()); // what was so when the page was made
    if (!lostAt) found();
  }

  function notice() {
    const at = new Date((lostAt || now()) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const gone = lostAt && live.dataset.state === "lost";
    const said = document.querySelector(".notice.lost");
    const text = gone
      ? `Not connected to Storywire since ${at}. What is shown is what was known then; it is tried again until it answers.`
      : trouble && !said ? `The server of the stories is away: ${trouble}. What was known before is shown; it is tried again until it answers.` : "";
    if (lost.textContent !== text) {
      const words = document.createElement("span");
      words.textContent = text;
      lost.replaceChildren(...(text ? [words] : []));
    }
    lost.hidden = !text;
  }

  // A page in the background holds no connection (browsers have six of them a site): it asks now and then.
  let background = 0;
  function rest() {
    source?.close();
    clearTimeout(again);
    background = setInterval(refresh, HIDDEN_MS);
  }
  function begin() {
    look();
    connect();
    settle();
    if (wanted) refresh();
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
    if (!lostAt) looking();
    try {
      await fetched("ids=");
      answered();
    } catch { lose(); }
  }, LOOK_MS);

  look();
  if (document.hidden) rest(); // opened in the background: nobody has looked
  else {
    looking();
    connect();
  }
})();
