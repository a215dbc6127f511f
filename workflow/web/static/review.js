// A queue, or all pictures, as a grid. Only what is in sight is in the page; any place is one jump away, because the
// server tells where every hundredth picture begins.
import { get, report, reporting } from "./api.js";
import { chooseClass, confirmed } from "./choose.js";
import { byId, h, say, sharpen, toast } from "./dom.js";
import { outbox } from "./outbox.js";
import "./shell.js";
import { number, t } from "./words.js";

const PAGE = 100;
const GAP = 8;
const CAPTION = 24;
const MANY = 500; // pictures that are not labelled without a question
const WAITING = 1000; // labels that may wait in the outbox while more are chosen

const queue = byId("main").dataset.queue;
const base = queue === "all" ? "/api/gallery" : `/api/queues/${encodeURIComponent(queue)}`;
const grid = byId("grid");
const floor = grid.firstElementChild;

let marks = [null];
let total = 0;
let classes = [];
let items = []; // index -> item, once its page is here
let pages = new Map(); // page -> promise
let round = 0; // counts the filters' changes: late answers of an earlier one are dropped
const cells = new Map(); // index -> element
const spare = [];
const selected = new Set();
let active = 0;
let anchor = 0;
let ranging = false;
let columns = 1;
let size = 128;
const applied = []; // keys of each application, for undo

// ---- data ----

function address(path, more = {}) {
  const parameters = new URLSearchParams(more);
  for (const field of byId("filters").elements) if (field.name && field.value) parameters.set(field.name, field.value);
  return `${base}${path}?${parameters}`;
}

async function restart() {
  round += 1;
  const mine = round;
  [items, pages, marks] = [[], new Map(), [null]];
  selected.clear();
  [active, anchor] = [0, 0];
  grid.scrollTop = 0;
  grid.setAttribute("aria-busy", "true");
  const first = await get(address("", { limit: PAGE }));
  if (mine !== round) return;
  first.items.forEach((item, index) => (items[index] = item));
  pages.set(0, Promise.resolve());
  total = first.total ?? first.left;
  classes = first.classes;
  showClasses(); // before the pictures: what is seen can be labelled
  layout();
  grid.removeAttribute("aria-busy");
  const found = await get(address("/anchors", { step: PAGE }));
  if (mine !== round) return;
  marks = [null, ...found.anchors];
  draw();
  await fillFilters();
}

function fetchPage(page) {
  if (pages.has(page) || page >= marks.length) return pages.get(page);
  const mine = round;
  const more = marks[page] === null ? { limit: PAGE } : { limit: PAGE, after: marks[page] };
  const loading = get(address("", more)).then((found) => {
    if (mine !== round) return;
    found.items.forEach((item, index) => (items[page * PAGE + index] = item));
    draw();
  });
  pages.set(page, loading);
  loading.catch(() => pages.delete(page));
  return loading;
}

// ---- the grid ----

function layout() {
  const width = grid.clientWidth - 2 * GAP;
  const wish = width < 500 ? 96 : 144;
  columns = Math.max(1, Math.floor((width + GAP) / (wish + GAP)));
  size = Math.floor((width - (columns - 1) * GAP) / columns);
  floor.style.height = `${Math.ceil(total / columns) * rowHeight() + GAP}px`;
  byId("total").textContent = t("review.total", { count: total });
  byId("nothing").hidden = total > 0;
  grid.hidden = total === 0;
  byId("place").max = Math.max(1, total);
  draw(true);
}

const rowHeight = () => size + CAPTION + GAP;

let wanted = 0;
function draw(moved = false) {
  const top = Math.max(0, Math.floor((grid.scrollTop - GAP) / rowHeight()) - 1);
  const bottom = Math.ceil((grid.scrollTop + grid.clientHeight) / rowHeight()) + 1;
  const first = top * columns;
  const stop = Math.min(total, bottom * columns);
  for (const [index, cell] of cells) {
    if (index < first || index >= stop) {
      cells.delete(index);
      cell.remove();
      spare.push(cell);
    }
  }
  for (let index = first; index < stop; index++) {
    let cell = cells.get(index);
    if (!cell) {
      cell = spare.pop() ?? h("div", { class: "cell", role: "option" }, sharpen(h("img", { alt: "", decoding: "async" })));
      cells.set(index, cell);
      place(cell, index);
      floor.append(cell);
    } else if (moved) place(cell, index);
    fill(cell, index);
  }
  spare.length = Math.min(spare.length, 40);
  clearTimeout(wanted);
  const need = () => {
    for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, stop - 1) / PAGE); page++) fetchPage(page)?.catch(report);
  };
  if (stop > first && items[first] && items[stop - 1]) return;
  wanted = setTimeout(need, 40); // while the bar is dragged, only where it rests is fetched
}

function place(cell, index) {
  cell.style.width = `${size}px`;
  cell.style.height = `${size + CAPTION}px`;
  cell.style.transform = `translate(${GAP + (index % columns) * (size + GAP)}px, ${GAP + Math.floor(index / columns) * rowHeight()}px)`;
}

function fill(cell, index) {
  const item = items[index];
  const image = cell.firstElementChild;
  cell.id = `cell-${index}`;
  cell.dataset.index = index;
  cell.setAttribute("aria-setsize", total);
  cell.setAttribute("aria-posinset", index + 1);
  cell.setAttribute("aria-selected", String(selected.has(index)));
  cell.classList.toggle("active", index === active);
  const source = item ? item.thumb.replace(/side=\d+/, "side=256") : "";
  if (image.dataset.source !== source) {
    image.dataset.source = source;
    if (source) image.src = source;
    else image.removeAttribute("src");
  }
  const text = item ? caption(item) : "…";
  cell.dataset.text = text;
  cell.setAttribute("aria-label", item ? `${index + 1}: ${text}${item.reason ? `. ${item.reason}` : ""}` : t("review.loading"));
  cell.toggleAttribute("data-done", Boolean(item?.said));
}

function caption(item) {
  if (item.said) return item.said;
  if (item.class !== null && item.suggested !== null && item.suggested !== item.class) return `${item.class} → ${item.suggested}?`;
  return item.class ?? (item.suggested === null ? "–" : `${item.suggested}?`);
}

// ---- moving and choosing ----

function goTo(index, { extend = false, only = false } = {}) {
  if (!total) return;
  active = Math.min(total - 1, Math.max(0, index));
  if (extend) {
    selected.clear();
    for (let one = Math.min(anchor, active); one <= Math.max(anchor, active); one++) selected.add(one);
  } else if (!only) anchor = active;
  const y = Math.floor(active / columns) * rowHeight();
  if (y < grid.scrollTop) grid.scrollTop = y;
  else if (y + rowHeight() + GAP > grid.scrollTop + grid.clientHeight) grid.scrollTop = y + rowHeight() + GAP - grid.clientHeight;
  draw();
  grid.setAttribute("aria-activedescendant", `cell-${active}`);
  counted();
}

function toggle(index) {
  if (!selected.delete(index)) selected.add(index);
  [active, anchor] = [index, index];
  draw();
  counted();
}

function counted() {
  byId("chosen").textContent = selected.size ? t("review.chosen", { count: selected.size }) : t("review.nonechosen");
  byId("clear").disabled = selected.size === 0;
}

function chooseAll() {
  for (let index = 0; index < total; index++) selected.add(index);
  draw();
  counted();
}

function clearChoice() {
  selected.clear();
  draw();
  counted();
}

// ---- labels ----

async function apply(kind, name = null) {
  const chosen = selected.size ? [...selected].sort((one, other) => one - other) : [active];
  if (chosen.length > MANY && !(await confirmed(t("review.manytitle", { count: chosen.length }), t("review.many"), t("review.manyyes")))) return;
  const keys = [];
  applied.push(keys);
  const mine = round;
  let skipped = 0;
  for (const index of chosen) {
    if (!items[index]) await fetchPage(Math.floor(index / PAGE));
    if (mine !== round) break;
    const item = items[index];
    const label = item && wording(item, kind, name);
    if (!label) {
      skipped += 1;
      continue;
    }
    keys.push(outbox.add({ sha256: item.sha256, kind: label.kind, class: label.class, was: item.class, queue: queue === "all" ? null : queue }));
    Object.assign(item, { before: item.class, said: label.text, class: label.kind === "label" ? label.class : item.class });
    if (keys.length % PAGE === 0) {
      draw();
      while (outbox.waiting > WAITING) await new Promise((resume) => setTimeout(resume, 50));
    }
  }
  keys.indices = chosen;
  if (skipped) toast(t("review.skipped", { count: skipped }));
  say(t("review.applied", { count: keys.length }));
  const next = chosen.at(-1) + 1;
  selected.clear();
  goTo(next < total ? next : chosen.at(-1));
}

/** What a key means for one picture; null where it means nothing. */
function wording(item, kind, name) {
  if (kind === "keep" && item.class !== null) return { kind, class: null, text: `✓ ${item.class}` };
  const wish = kind === "label" ? name : item.suggested;
  if (kind === "remove") return { kind, class: null, text: t("label.did.remove") };
  return wish === null || wish === undefined ? null : { kind: "label", class: wish, text: `✓ ${wish}` };
}

function undo() {
  const keys = applied.pop();
  if (!keys) return;
  for (const key of keys) outbox.undo(key);
  for (const index of keys.indices ?? []) {
    const item = items[index];
    if (item?.said) Object.assign(item, { class: item.before, said: null });
  }
  draw();
  say(t("label.undone"));
}

// ---- the controls ----

let classesShown = "";
function showClasses() {
  if (JSON.stringify(classes) === classesShown) return;
  classesShown = JSON.stringify(classes);
  byId("classes").replaceChildren(...classes.slice(0, 10).map((name, index) =>
    h("button", { type: "button", on: { click: reporting(() => apply("label", name)) } }, h("kbd", {}, String((index + 1) % 10)), name)));
  byId("other").hidden = classes.length <= 10;
}

async function other() {
  const name = await chooseClass(classes, t("label.whichclass"));
  if (name !== null) await apply("label", name);
  grid.focus();
}

let filtersFilled = false;
async function fillFilters() {
  if (filtersFilled) return;
  filtersFilled = true;
  const fields = byId("filters").elements;
  const add = (name, values, text = (value) => value) => fields[name].append(...values.map((value) => h("option", { value }, text(value))));
  add("class", classes);
  add("split", ["train", "validation", "test"], (split) => t(`review.${split}`));
  add("generation", (await get("/api/generations")).generations.map((one) => one.number));
  const senders = await get("/api/tokens").catch(() => ({ tokens: [] })); // the owner's alone
  add("sender", senders.tokens.map((token) => token.name));
}

const ACTIONS = {
  q: () => apply("keep"),
  w: () => apply("suggested"),
  e: () => apply("remove"),
  i: () => items[active] && location.assign(`/p/${items[active].sha256}`),
  "/": other,
  "?": () => byId("help").showModal(),
  Backspace: undo,
  Escape: clearChoice,
};

const MOVES = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: () => -columns,
  ArrowDown: () => columns,
  PageUp: () => -columns * Math.max(1, Math.floor(grid.clientHeight / rowHeight())),
  PageDown: () => columns * Math.max(1, Math.floor(grid.clientHeight / rowHeight())),
  Home: () => -total,
  End: () => total,
};

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]") || event.target.closest("input, select, textarea") || event.altKey || event.isComposing) return;
  const inGrid = event.target === grid;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && inGrid) {
    event.preventDefault();
    return chooseAll();
  }
  if (event.ctrlKey || event.metaKey) return;
  const move = MOVES[event.key];
  if (move && (inGrid || event.target === document.body)) {
    event.preventDefault();
    return goTo(active + move(), { extend: event.shiftKey });
  }
  if (inGrid && event.key === " ") {
    event.preventDefault();
    return toggle(active);
  }
  if (inGrid && event.key === "Enter") return ACTIONS.i();
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const place = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1] ?? (/^\d$/.test(name) ? name : null);
  const action = ACTIONS[name];
  if (!action && (place === null || (event.shiftKey && place !== name))) return;
  event.preventDefault();
  if (event.repeat) return;
  if (action) return reporting(action)();
  const index = (Number(place) + 9) % 10;
  if (index < Math.min(10, classes.length)) reporting(apply)("label", classes[index]);
});

grid.addEventListener("click", (event) => {
  const cell = event.target.closest(".cell");
  if (!cell) return;
  const index = Number(cell.dataset.index);
  if (event.shiftKey || ranging) {
    goTo(index, { extend: true });
    setRanging(false);
  } else toggle(index);
});
grid.addEventListener("dblclick", (event) => {
  const cell = event.target.closest(".cell");
  const item = cell && items[Number(cell.dataset.index)];
  if (item) location.assign(`/p/${item.sha256}`);
});

function setRanging(value) {
  ranging = value;
  byId("range").setAttribute("aria-pressed", String(value));
}

let drawing = 0;
grid.addEventListener("scroll", () => {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(() => draw());
}, { passive: true });
new ResizeObserver(() => total && layout()).observe(grid);

byId("range").addEventListener("click", () => setRanging(!ranging));
byId("all").addEventListener("click", chooseAll);
byId("clear").addEventListener("click", clearChoice);
byId("keep").addEventListener("click", reporting(ACTIONS.q));
byId("suggested").addEventListener("click", reporting(ACTIONS.w));
byId("remove").addEventListener("click", reporting(ACTIONS.e));
byId("undo").addEventListener("click", undo);
byId("other").addEventListener("click", reporting(other));
byId("helpbutton").addEventListener("click", () => byId("help").showModal());
byId("filters").addEventListener("change", reporting(restart));
byId("jump").addEventListener("submit", (event) => {
  event.preventDefault();
  const index = Number(byId("place").value) - 1;
  if (!Number.isInteger(index)) return;
  goTo(index);
  grid.focus();
});
for (const group of [byId("keys"), byId("classes")]) {
  group.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("button")) return;
    event.preventDefault();
    if (document.activeElement?.closest("button")) document.activeElement.blur();
  });
}

counted();
await reporting(restart)();
