// One picture: what the network answers, what it sees, and why.
import { call, get, post, report, reporting } from "./api.js";
import { byId, h, icon, sharpen } from "./dom.js";
import { finding } from "./finding.js";
import { on } from "./live.js";
import { bars } from "./probabilities.js";
import { allJobs, learn, onJob, over, owner } from "./shell.js";
import { verdict } from "./verdict.js";
import { ago, bytes, percent, t } from "./words.js";

const SHOWN = { dream: ["sheet"] }; // of the looks that draw several pictures, what is shown
const LOOKS = ["twin", "maps", "why", "invert", "dream", "film"];

const sha256 = byId("main").dataset.sha256;
const here = `/api/pictures/${sha256}`;
const jobs = new Map(); // look -> job
let snapshot = null;
let picture = null;
let answer = null; // of the chosen snapshot; before it is there, the one that was given last

// ---- the picture ----

function showPicture() {
  const classes = answer ? Object.keys(answer.probabilities) : [];
  const facts = [
    ["look.format", [picture.format, picture.width && `${picture.width} × ${picture.height}`, picture.bytes && bytes(picture.bytes)].filter(Boolean).join(" · ")],
    ["label.sender", picture.sender],
    ["look.received", picture.received && ago(picture.received)],
    ["look.known", picture.known && t("judge.known", { class: picture.known.class, generation: String(picture.known.generation), split: t(`review.${picture.known.split}`) })],
  ].filter(([, value]) => value);
  const said = picture.reports.map((one) => h("li", {}, h("strong", {}, one.class ?? t("look.notthat")), one.note ? ` – ${one.note}` : "", h("span", { class: "soft small" }, ` ${one.sender ?? ""} ${ago(one.at)}`)));
  byId("picture").replaceChildren(
    h("div", { class: "frame" }, sharpen(h("img", { src: `${here}/thumb?side=512`, alt: t("look.picture") }))),
    h("div", { class: "stack" },
      answer ? h("div", {}, h("p", { class: "soft small" }, t("judge.answer", { snapshot: answer.snapshot })), h("p", { class: "answer" }, answer.label)) : h("p", { class: "soft" }, t("look.noanswer")),
      answer ? bars(answer.probabilities) : null,
      said.length ? h("div", {}, h("h2", {}, t("look.reports")), h("ul", { class: "events" }, said)) : null,
      verdict({ sha256, answer: answer?.label ?? null, classes, current: picture.label }),
      h("dl", { class: "facts" }, facts.flatMap(([key, value]) => [h("dt", {}, t(key)), h("dd", {}, value)]))));
  byId("picture").removeAttribute("aria-busy");
  showAnswers(picture.answers);
  showEvents(picture.events);
}

function showAnswers(answers) {
  const rows = answers.map((one) => h("tr", {}, h("td", { class: "text" }, one.snapshot), h("td", { class: "text" }, one.label), h("td", {}, percent(one.probability)), h("td", {}, ago(one.at))));
  byId("answers").replaceChildren(rows.length
    ? h("table", {}, h("thead", {}, h("tr", {}, ["look.snapshot", "look.answer", "look.probability", "look.when"].map((key, index) => h("th", { class: index < 2 ? "text" : null, scope: "col" }, t(key))))), h("tbody", {}, rows))
    : h("p", { class: "soft" }, t("look.noanswer")));
}

function showEvents(events) {
  const list = events.map((one) => h("li", {}, eventWords(one), h("span", { class: "soft small" }, ` ${ago(one.at)}${one.undone ? ` · ${t("look.undone")}` : ""}`)));
  byId("events").replaceChildren(...(list.length ? list : [h("li", { class: "soft" }, t("look.noevents"))]));
}

function eventWords(one) {
  if (one.kind === "label") return one.was === null ? one.class : `${one.was} → ${one.class}`;
  return t(`label.did.${one.kind}`);
}

// ---- looks ----

function lookCard(look) {
  const job = jobs.get(look);
  const waiting = job && !over(job);
  const start = h("button", { type: "button", disabled: waiting, on: { click: reporting(() => begin(look)) } }, t(job && !waiting ? "look.again" : "look.make"));
  const cancel = waiting ? h("button", { type: "button", class: "danger", on: { click: reporting(() => call("DELETE", `/api/jobs/${job.id}`)) } }, icon("stop"), t("frame.cancel")) : null;
  const title = t(`look.${look}`);
  return h("section", { class: job?.state === "done" ? "card found" : "card", "aria-label": title, data: { look } },
    h("div", { class: "row spread" }, h("h3", {}, title), h("div", { class: "row" }, start, cancel)),
    h("p", { class: "soft small" }, t(`look.${look}.lead`)),
    job ? finding(job, title, SHOWN[look]) : null);
}

function showLook(look) {
  const old = byId("looks").querySelector(`[data-look="${look}"]`);
  const fresh = lookCard(look);
  if (old) old.replaceWith(fresh);
  else byId("looks").append(fresh);
}

async function begin(look) {
  const { job } = await post(`${here}/looks`, { look, snapshot });
  learn(job);
}

function take(job) {
  if (job.sha256 !== sha256 || job.snapshot !== snapshot) return;
  if (job.look === "inspect") return showBlobs(job);
  if (!LOOKS.includes(job.look)) return;
  jobs.set(job.look, job);
  showLook(job.look);
}

// ---- what the network sees: grids whose tiles lead to their channels ----

const CAPTION = 38; // pixels below the tiles of a grid, as the library draws it

function showBlobs(job) {
  const place = byId("blobs");
  if (job.state === "done" && job.result.probabilities && job.result.label !== null) {
    answer = { snapshot: job.snapshot, label: job.result.label, probabilities: job.result.probabilities };
    if (picture) showPicture();
  }
  if (job.state !== "done") return place.replaceChildren(...finding(job, t("look.inspect")));
  place.replaceChildren(...job.result.pictures.map(({ name, url }) => {
    const count = job.result.tiles?.[name] ?? 0;
    const image = h("img", { src: url, alt: t("look.grid", { blob: name }) });
    const box = h("div", { class: "blob" }, image);
    if (count) image.addEventListener("load", () => box.append(tiles(name, count, image)), { once: true });
    return box;
  }));
}

/** A link over each tile; the arrow keys move among them, so that the whole grid is one stop of the tab key. */
function tiles(blob, count, image) {
  const side = Math.ceil(Math.sqrt(count));
  const generation = /^gen(\d+)/.exec(snapshot)?.[1];
  const links = Array.from({ length: count }, (_, channel) =>
    h("a", { href: `/gen/${generation}/${blob}/${channel}`, tabindex: channel === 0 ? 0 : -1, "aria-label": t("look.channel", { blob, channel: String(channel) }), title: `${blob}:${channel}` }));
  const grid = h("div", { class: "tilelinks", role: "group", "aria-label": t("look.grid", { blob }), on: { keydown: (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -side, ArrowDown: side }[event.key];
    const to = links[links.indexOf(document.activeElement) + (step ?? NaN)];
    if (!to) return;
    event.preventDefault();
    document.activeElement.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  } } }, links);
  grid.style.gridTemplate = `repeat(${side}, 1fr) / repeat(${side}, 1fr)`;
  grid.style.height = `${(100 * (image.naturalHeight - CAPTION)) / image.naturalHeight}%`;
  return grid;
}

async function showSnapshots() {
  const { live, generations } = await get("/api/generations");
  const names = generations.flatMap((one) => one.snapshots.map((each) => `${one.name}/${each.name}`));
  byId("snapshot").replaceChildren(...names.map((name) => h("option", { value: name, selected: name === live }, name)));
  await choose();
}

/** Take the chosen snapshot: its looks are shown, and the grids are drawn. */
async function choose() {
  snapshot = byId("snapshot").value || null;
  if (snapshot === null) return;
  jobs.clear();
  for (const job of allJobs().reverse()) take(job);
  for (const look of LOOKS) showLook(look);
  await begin("inspect");
}

async function show() {
  picture = await get(here);
  answer ??= picture.answers.find((one) => one.label !== null) ?? null;
  showPicture();
}

onJob(take);
byId("snapshot").addEventListener("change", reporting(choose));
if (owner) for (const look of LOOKS) showLook(look);
else for (const part of ["inside", "why", "looks"]) byId(part).hidden = true;
on("label", (news) => news?.sha256 === sha256 && show().catch(report));
await reporting(show)();
if (owner) await reporting(showSnapshots)();
