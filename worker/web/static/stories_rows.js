// The rows of the list of stories: which there are, and how a shown one becomes what it is now.

export const list = document.getElementById("stories");
export const rowsNow = () => [...list.children];
export const rowOf = (id) => list.querySelector(`:scope > [id="${CSS.escape(id)}"]`);

const placeOf = (row) => row.dataset.place.split(" ").map(Number);
export function before(a, b) {
  const one = placeOf(a), two = placeOf(b);
  for (let i = 0; i < one.length; i++) if (one[i] !== two[i]) return one[i] - two[i];
  return 0;
}

// Make a shown row what it is now; true where that changes anything that is seen.
export function update(row, fresh) {
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

export function flash(row) {
  row.classList.remove("changed");
  void row.offsetWidth; // so that it runs again
  row.classList.add("changed");
}
