// The order of the list: rows that are shown change in place; what is new, or would move, waits behind the bar.
//
// `list` hears "shortened" where it has become too long and its end was taken off.

import { atRest, inPlace } from "./stories_reading.js";
import { before, flash, list, rowOf, rowsNow, update } from "./stories_rows.js";
import { shown, sign } from "./stories_looked.js";

const { base, now, tick } = storywire;
const bar = document.getElementById("show");
const more = document.getElementById("more");
const firstPage = list.dataset.firstPage === "1";
const limit = Number(list.dataset.limit);

const waiting = new Map(); // id -> row that is not shown yet
const moved = new Set(); // ids of shown rows that changed since the list was last put in order
const into = new Map(); // id of a story that is gone -> the story that it is part of, or ""

// Rows that were asked for by id have come.
export function take(found, ids) {
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

// A story is part of another one now, or of none; true where that is to be seen here.
export function gone(id, whole) {
  into.set(id, whole);
  return Boolean(rowOf(id)) || waiting.has(id);
}

function leave(row) {
  row.classList.add("gone");
  moved.add(row.id);
  const whole = into.get(row.id);
  const by = row.querySelector(".by");
  if (whole && by) by.textContent = `now part of ${rowOf(whole)?.querySelector(".headline")?.textContent ?? whole}`;
}

// The whole list has come: what is not on it any more leaves, unless it is below where this one ends.
export function takeAll(found) {
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
export function age() {
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
    list.dispatchEvent(new Event("shortened"));
  }
}

function outOfOrder() {
  const rows = rowsNow();
  return rows.some((row, at) => row.classList.contains("gone") || (at > 0 && before(rows[at - 1], row) > 0));
}

export function settle() {
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

export function show() {
  shown();
  arrange(true);
  window.scrollTo({ top: 0, behavior: "instant" });
}
