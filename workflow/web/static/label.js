// One picture at a time, one key each. The next pictures are decoded before they are needed; what a key does is stored
// and painted at once, and sent behind the reader's back.
import { get, report, reporting } from "./api.js";
import { chooseClass } from "./choose.js";
import { byId, h, icon, say, sharpen, toast } from "./dom.js";
import { outbox } from "./outbox.js";
import { on } from "./live.js";
import { said } from "./refused.js";
import "./shell.js";
import { number, percent, t } from "./words.js";

const AHEAD = 10; // pictures that are loaded and decoded
const KEPT = 10; // pictures one may return to by a click
const PAGE = 50; // of a queue
const MINUTE = 60_000;

const queue = byId("main").dataset.queue;
const stage = byId("stage");
const side = stage.clientWidth * devicePixelRatio > 640 ? 1024 : 512;

const desk = {
  classes: [],
  ahead: [], // items, the one that is shown first
  done: [], // {item, key, kind, class}, newest last
  seen: new Set(),
  cursor: null,
  more: true,
  checked: false, // whether the queue was looked through again since the last decision
  fetching: null,
  open: null, // pictures in the queue when this page had decided none of them
  decided: 0,
  saved: 0,
  mine: new Set(), // keys of this page that are not saved yet
  times: [],
  shown: null,
};
const pictures = new Map(); // sha256 -> {image, ready}

// ---- pictures ----

function load(item) {
  let entry = pictures.get(item.sha256);
  if (!entry) {
    const image = sharpen(new Image());
    image.alt = ""; // the text beside it says what is known
    image.decoding = "sync"; // it has been decoded: the frame that shows it must not be painted without it
    image.setAttribute("elementtiming", item.sha256);
    image.src = item.thumb.replace(/side=\d+/, `side=${side}`);
    entry = { image, failed: false, dropped: false };
    entry.ready = decoded(entry).catch(() => (entry.failed = true));
    pictures.set(item.sha256, entry);
  }
  return entry;
}

/** Wait until a picture is decoded; a server that is busy is asked again. */
async function decoded(entry) {
  for (const wait of [300, 1000, 3000]) {
    try {
      return await entry.image.decode();
    } catch {
      if (entry.dropped) return undefined;
      await new Promise((resume) => setTimeout(resume, wait));
      if (entry.dropped) return undefined;
      entry.image.src = `${entry.image.src}`;
    }
  }
  return entry.image.decode();
}

function preload() {
  const ahead = desk.ahead.slice(0, AHEAD + 1);
  for (const item of ahead) load(item);
  for (const { image } of ahead.slice(1, 3).map(load)) if (image.complete) image.decode().catch(() => {}); // a browser forgets what it decoded
  const kept = new Set(ahead.map((item) => item.sha256));
  const last = new Set(desk.done.slice(-KEPT).map((one) => one.item.sha256));
  for (const [sha256, entry] of pictures) {
    if (kept.has(sha256) || (last.has(sha256) && entry.image.complete)) continue;
    pictures.delete(sha256);
    entry.dropped = true;
    if (!entry.image.complete) entry.image.src = ""; // whoever is quicker than the server waits for no picture of the past
  }
}

// ---- the queue ----

async function fetchMore() {
  if (desk.fetching) return desk.fetching;
  desk.fetching = (async () => {
    const after = desk.cursor === null ? "" : `&after=${encodeURIComponent(desk.cursor)}`;
    const [decided, settled] = [desk.decided, outbox.waiting === 0];
    const page = await get(`/api/queues/${encodeURIComponent(queue)}?limit=${PAGE}${after}`);
    desk.classes = page.classes;
    const waiting = new Set(outbox.entries().map((entry) => entry.sha256)); // of an earlier tab
    for (const item of page.items) {
      if (desk.seen.has(item.sha256) || waiting.has(item.sha256)) continue;
      desk.seen.add(item.sha256);
      desk.ahead.push(item);
    }
    if (desk.open === null || (settled && decided === desk.decided)) desk.open = page.left + desk.decided; // else labels are on their way
    desk.cursor = page.next;
    desk.more = page.next !== null;
  })().finally(() => (desk.fetching = null));
  return desk.fetching;
}

async function refill() {
  try {
    while (desk.ahead.length < 3 * AHEAD && desk.more) {
      const before = desk.ahead.length;
      await fetchMore();
      preload();
      if (before === 0) show();
    }
  } catch (error) {
    if (error.status === 404) return showMissing(error);
    report(error);
    setTimeout(refill, 3000);
  }
}

/** A queue that was never filled. */
function showMissing(error) {
  desk.more = false;
  stage.replaceChildren(h("div", { class: "empty" }, h("h2", {}, error.message), h("div", { class: "row" }, h("a", { class: "button main", href: "/label" }, t("label.toqueues")))));
}

// ---- what a key does ----

function act(kind, name, button = null) {
  const item = desk.ahead[0];
  if (!item) return;
  if (kind === "keep" && item.class === null) return act("label", item.suggested, button); // no label yet: the answer is right
  if (kind === "label" && !name) {
    say(t("label.nosuggestion"));
    return;
  }
  let key;
  try {
    key = outbox.add({ sha256: item.sha256, kind, class: kind === "label" ? name : null, was: item.class, queue });
  } catch {
    return toast(t("outbox.full"), { error: true }); // the browser's storage
  }
  desk.mine.add(key);
  desk.done.push({ item, key, kind, class: kind === "label" ? name : kind === "keep" ? item.class : null });
  desk.ahead.shift();
  desk.checked = false;
  if (kind === "later") desk.seen.delete(item.sha256); // it comes again, at the queue's end
  desk.times.push(performance.now());
  if (!item.again && kind !== "later") desk.decided += 1;
  flash(button);
  show();
  setTimeout(() => {
    preload();
    if (desk.ahead.length < 2 * AHEAD) refill();
  });
}

function undo() {
  const last = desk.done.pop();
  if (!last) return;
  outbox.undo(last.key);
  if (!last.item.again && last.kind !== "later") desk.decided -= 1;
  desk.ahead.unshift(last.item);
  show();
  say(t("label.undone"));
  preload();
}

/** Show one of the last pictures again; its next label replaces the one it has. */
function again(one) {
  desk.ahead.unshift({ ...one.item, class: one.kind === "later" ? one.item.class : one.class, again: true });
  show();
  preload();
}

let lit = null;
function flash(button) {
  lit?.classList.remove("hit");
  lit = button;
  if (!button) return;
  button.classList.add("hit");
  setTimeout(() => button.classList.remove("hit"), 160);
}

// ---- what is seen ----

function show() {
  const item = desk.ahead[0];
  if (!item) return showEnd();
  const { image, ready } = load(item);
  desk.shown = item.sha256;
  stage.dataset.sha256 = item.sha256;
  const guess = h("p", { class: "guess" });
  if (item.suggested !== null) {
    const share = item.probability === null || item.probability === undefined ? "" : ` ${percent(item.probability)}`;
    guess.append(h("span", { class: "chip accent" }, `${t("label.suggested")}: ${item.suggested}${share}`));
  }
  if (item.class !== null) guess.append(h("span", { class: "chip" }, `${t("label.current")}: ${item.class}`));
  stage.replaceChildren(image, guess);
  ready.then(() => {
    if (pictures.get(item.sha256)?.failed && desk.shown === item.sha256) stage.firstChild.replaceWith(h("p", { class: "empty" }, t("label.broken")));
  });
  showFacts(item);
  showButtons(item);
  afterPaint(() => {
    meter();
    showLast();
    say(announcement(item));
  });
}

let pending = null;
/** Do what may come a frame later than the picture; of several, the last. */
function afterPaint(work) {
  if (pending === null) requestAnimationFrame(() => setTimeout(() => {
    const latest = pending;
    pending = null;
    latest();
  }));
  pending = work;
}

function announcement(item) {
  const parts = [];
  const last = desk.done.at(-1);
  if (last) parts.push(described(last));
  parts.push(item.suggested === null ? t("label.nextplain") : t("label.nextsaid", { class: item.suggested, share: item.probability == null ? "" : percent(item.probability, 0) }));
  if (item.class !== null) parts.push(`${t("label.current")}: ${item.class}.`);
  return parts.join(" ");
}

const described = (one) => one.class ?? said(one);

function showFacts(item) {
  const rows = [["label.reason", item.reason], ["label.sender", item.sender], ["label.split", item.split], ["label.generation", item.generation]];
  byId("facts").replaceChildren(...rows.filter(([, value]) => value !== null && value !== undefined && value !== "").flatMap(([key, value]) => [h("dt", {}, t(key)), h("dd", {}, String(value))]));
  byId("inside").href = `/p/${item.sha256}`;
}

let buttonsFor = null;
function showButtons(item) {
  const signature = JSON.stringify(desk.classes);
  if (buttonsFor !== signature) {
    buttonsFor = signature;
    const names = desk.classes.length > 20 ? desk.classes.slice(0, 10) : desk.classes;
    byId("classes").replaceChildren(...names.map((name, index) =>
      h("button", { type: "button", data: { class: name }, "aria-keyshortcuts": index < 10 ? digit(index) : null, on: { click: (event) => act("label", name, event.currentTarget) } },
        index < 10 ? h("kbd", {}, digit(index)) : null, name)));
    byId("other").hidden = desk.classes.length <= 10;
  }
  for (const button of byId("classes").children) button.classList.toggle("chosen", button.dataset.class === item.suggested);
  byId("keep").setAttribute("aria-disabled", String(item.class === null && item.suggested === null));
  byId("suggested").setAttribute("aria-disabled", String(item.suggested === null));
}

const digit = (index) => String((index + 1) % 10);

function showEnd() {
  desk.shown = null;
  delete stage.dataset.sha256;
  byId("facts").replaceChildren();
  if (desk.more || desk.fetching) return;
  if (!desk.checked) { // for what was put off, and for what came meanwhile
    desk.checked = true;
    lookAgain().catch(report);
    return;
  }
  const links = h("div", { class: "row" },
    h("button", { type: "button", on: { click: reporting(lookAgain) } }, t("label.lookagain")),
    h("a", { class: "button main", href: "/loop" }, t("label.toloop")));
  stage.replaceChildren(h("div", { class: "empty" }, icon("check"), h("h2", {}, t("label.finished")), h("p", {}, t("label.finishedlead")), links));
  meter();
  showLast();
  say(t("label.finished"));
}

async function lookAgain() {
  desk.cursor = null;
  desk.more = true;
  desk.seen = new Set(desk.done.filter((one) => one.kind !== "later").map((one) => one.item.sha256));
  await refill();
  if (!desk.ahead.length) show();
}

function meter() {
  const now = performance.now();
  while (desk.times.length && now - desk.times[0] > MINUTE) desk.times.shift();
  byId("saved").textContent = number(desk.saved);
  byId("waiting").textContent = number(outbox.waiting);
  byId("waiting").classList.toggle("warn", outbox.trouble !== null);
  byId("rate").textContent = number(desk.times.length);
  byId("left").textContent = desk.open === null ? "–" : number(Math.max(0, desk.open - desk.decided));
}

function showLast() {
  const last = desk.done.slice(-KEPT).reverse();
  byId("last").replaceChildren(...last.map((one) => {
    const picture = pictures.get(one.item.sha256)?.image.cloneNode() ?? h("img", { alt: "" });
    picture.removeAttribute("elementtiming");
    const text = described(one);
    return h("li", {}, h("button", { type: "button", "aria-label": t("label.return", { class: text }), on: { click: () => again(one) } }, picture, h("span", {}, text)));
  }));
}

// ---- keys ----

const help = byId("help");

const ACTIONS = {
  q: () => act("keep", null, byId("keep")),
  w: () => act("label", desk.ahead[0]?.suggested, byId("suggested")),
  e: () => act("remove", null, byId("remove")),
  " ": () => act("later", null, byId("later")),
  Backspace: undo,
  i: () => desk.ahead[0] && location.assign(`/p/${desk.ahead[0].sha256}`),
  "?": () => help.showModal(),
  "/": () => other(),
};

async function other() {
  const item = desk.ahead[0];
  if (!item) return;
  const name = await chooseClass(desk.classes, t("label.whichclass"));
  if (name !== null && desk.ahead[0] === item) act("label", name);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") || event.target.closest("input, select, textarea")) return;
  const pressed = event.target.closest("button, a");
  if (pressed && (event.key === " " || event.key === "Enter")) return; // the control that has the focus
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const place = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1] ?? (/^\d$/.test(name) ? name : null); // whatever the keyboard's layout prints there
  const action = ACTIONS[name];
  if (!action && (place === null || (event.shiftKey && place !== name))) return;
  event.preventDefault();
  if (event.repeat && name !== "Backspace") return; // a key that is held down labels one picture
  if (action) return action();
  const index = (Number(place) + 9) % 10;
  if (index < desk.classes.length) act("label", desk.classes[index], byId("classes").children[index]);
});

byId("keep").addEventListener("click", ACTIONS.q);
byId("suggested").addEventListener("click", ACTIONS.w);
byId("remove").addEventListener("click", ACTIONS.e);
byId("later").addEventListener("click", ACTIONS[" "]);
byId("undo").addEventListener("click", undo);
byId("other").addEventListener("click", other);
byId("helpbutton").addEventListener("click", () => help.showModal());
for (const group of [byId("keys"), byId("classes")]) {
  // a click leaves no button with the focus: the next space must not press it again
  group.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("button")) return;
    event.preventDefault();
    if (document.activeElement?.closest("button")) document.activeElement.blur();
  });
}

outbox.addEventListener("result", ({ detail: { entry, result } }) => {
  if (desk.mine.delete(entry.key) && (result.status === "saved" || result.status === "known")) desk.saved += 1;
  meter();
  if (entry.kind === "later" && !desk.ahead.length) lookAgain().catch(report);
});
outbox.addEventListener("undone", () => {
  desk.saved = Math.max(0, desk.saved - 1);
  meter();
});
outbox.addEventListener("change", meter);
on("judged", () => queue === "sent" && !desk.ahead.length && lookAgain().catch(report));
setInterval(meter, 5000);
await refill();
if (!desk.ahead.length && !stage.children.length) show();
