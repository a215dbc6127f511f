// Labels become a better network: take over, prepare, train, compare, promote.
import { accuracy, isLive } from "./accuracy.js";
import { call, get, post, report, reporting } from "./api.js";
import { Curve } from "./chart.js";
import { byId, h, icon, say } from "./dom.js";
import { finding } from "./finding.js";
import { on } from "./live.js";
import { outbox } from "./outbox.js";
import { learn, onJob, over } from "./shell.js";
import { percent, sentences, t } from "./words.js";

const STEPS = ["takeover", "prepare", "train", "compare"];
const CHANGES = ["corrected", "linked", "moved", "removed"]; // of a take-over
const TAKEN = `wf.taken.${document.body.dataset.project}`; // the newest generation when labels were taken over
const jobs = {}; // kind -> its newest job
const known = { takeover: null, tookover: false, live: null, generations: [] };
let curve = null;

const card = (step) => byId(step).querySelector(".card");
const newest = () => known.generations.at(-1) ?? null;
const busy = (kind) => jobs[kind] && !over(jobs[kind]);
const working = () => ["prepare", "train", "diff"].some(busy);
const button = (text, act, { main = false, disabled = false } = {}) => h("button", { type: "button", class: main ? "main" : null, disabled, on: { click: reporting(act) } }, text);

/** Fill a step's card; what the reader has typed or focused there stays. */
function fill(step, ...children) {
  const place = card(step);
  const focused = place.contains(document.activeElement) ? document.activeElement.textContent : null;
  place.replaceChildren(...children.flat().filter(Boolean));
  if (focused) [...place.querySelectorAll("button")].find((one) => one.textContent === focused)?.focus();
}

// ---- 1: take over ----

function showTakeover() {
  const found = known.takeover;
  if (!found) return;
  const changes = CHANGES.map((key) => [key, found[key]]).filter(([, count]) => count);
  const some = changes.length > 0;
  fill("takeover",
    some ? h("ul", {}, changes.map(([key, count]) => h("li", {}, t(`loop.${key}`, { count })))) : h("p", { class: known.tookover ? "good" : "soft" }, t(known.tookover ? "loop.tookover" : "loop.nothing")),
    found.conflicts.length ? h("details", { class: "note warn" }, h("summary", {}, t("loop.conflicts", { count: found.conflicts.length })),
      h("ul", { class: "events" }, found.conflicts.slice(0, 100).map((one) => h("li", {}, h("a", { href: `/p/${one.sha256}` }, one.sha256.slice(0, 12)), ` ${sentences({ status: "overruled", message: one.message })}`)))) : null,
    outbox.waiting ? h("p", { class: "note warn" }, t("loop.unsaved")) : null,
    h("div", { class: "row" }, button(t("loop.dotakeover"), takeOver, { main: some, disabled: !some }), h("a", { class: "button", href: "/label" }, t("loop.labelmore"))));
  mark();
}

async function takeOver() {
  await post("/api/takeover");
  localStorage.setItem(TAKEN, newest()?.number ?? -1);
  known.tookover = true;
  say(t("loop.tookover"));
  known.takeover = await get("/api/takeover");
  showTakeover();
}

// ---- 2: prepare ----

function showPrepare() {
  const job = jobs.prepare;
  fill("prepare", h("p", { class: "soft" }, t("loop.preparelead")),
    h("div", { class: "row" }, button(t("loop.doprepare"), () => start({ kind: "prepare" }), { main: Boolean(known.tookover), disabled: working() }), cancelButton(job)),
    job ? finding(job, t("loop.prepare")) : null);
  mark();
}

function cancelButton(job) {
  return job && !over(job) ? h("button", { type: "button", class: "danger", on: { click: reporting(() => call("DELETE", `/api/jobs/${job.id}`)) } }, t("frame.cancel")) : null;
}

async function start(wish) {
  learn((await post("/api/jobs", wish)).job);
}

// ---- 3: train ----

function trainForm(one) {
  const parent = known.generations.at(-2);
  const iterations = h("input", { type: "number", name: "iterations", min: 1, max: 1_000_000, placeholder: t("loop.solver"), class: "broad", inputmode: "numeric" });
  const weights = parent?.snapshots.length ? h("input", { type: "checkbox", name: "weights" }) : null;
  return h("form", { class: "stack", on: { submit: (event) => {
    event.preventDefault();
    const wish = { kind: "train", generation: one.number };
    if (iterations.value) wish.max_iter = Number(iterations.value);
    if (weights?.checked) wish.weights = `${parent.name}/best`;
    reporting(start)(wish);
  } } },
    h("p", { class: "soft" }, one.snapshots.length ? t("loop.resumelead", { number: String(one.number), iteration: Math.max(...one.snapshots.map((each) => each.iteration)) }) : t("loop.trainlead", { number: String(one.number) })),
    h("div", { class: "row end" }, h("label", {}, h("span", {}, t("loop.iterations")), iterations), h("button", { class: one.snapshots.length ? null : "main", disabled: working() }, t("loop.dotrain"))),
    weights ? h("label", { class: "row" }, weights, t("loop.weights", { number: String(parent.number) })) : null);
}

function showTrain() {
  const one = newest();
  const job = jobs.train;
  if (!one) {
    curve?.close();
    curve = null;
    return fill("train", h("p", { class: "soft" }, t("loop.notrain")));
  }
  if (curve?.generation !== one.number) {
    curve?.close();
    card("train").replaceChildren(h("div", { class: "stack", data: { part: "controls" } }), h("div", { class: "plot", data: { part: "curve" } }));
    curve = new Curve(card("train").lastChild, one.number);
    curve.onchange = ({ running }) => {
      if (running !== known.running) {
        known.running = running;
        refresh();
      }
    };
  }
  const controls = card("train").querySelector('[data-part="controls"]');
  const ours = job && job.generation === one.number ? job : null;
  const signature = JSON.stringify([one.number, one.state, ours?.id, ours?.state, ours?.stopping, known.running, working()]);
  if (controls.dataset.signature !== signature) {
    controls.dataset.signature = signature;
    controls.replaceChildren(...controlsOf(one, ours).filter(Boolean));
  }
  const bar = controls.querySelector("[data-progress]");
  if (bar && ours) bar.replaceChildren(...finding(ours, t("loop.train")));
  mark();
}

function controlsOf(one, job) {
  if (job && !over(job)) {
    return [h("div", { data: { progress: "" } }),
      h("div", { class: "row" }, h("button", { type: "button", class: "danger", disabled: Boolean(job.stopping), on: { click: reporting(() => stop(job)) } }, icon("stop"), t(job.stopping ? "loop.stopping" : "loop.stop")))];
  }
  if (known.running) return [h("p", { class: "note" }, t("loop.elsewhere", { number: String(one.number) }))];
  return [trainForm(one), job ? h("div", {}, finding(job, t("loop.train"))) : null];
}

async function stop(job) {
  await call("DELETE", `/api/jobs/${job.id}`);
  learn({ ...job, stopping: true });
}

// ---- 4: compare ----

function showCompare() {
  const trained = known.generations.filter((one) => one.snapshots.length);
  const fresh = trained.at(-1);
  const answering = trained.find((one) => isLive(known.live, one));
  const old = answering && answering !== fresh ? answering : trained.at(-2); // what would be replaced, else the one before
  const job = jobs.diff?.new === fresh?.name ? jobs.diff : null; // a comparison of earlier generations decides nothing
  if (!fresh) return fill("compare", h("p", { class: "soft" }, t("loop.nocompare")));
  const live = isLive(known.live, fresh);
  fill("compare", h("p", { class: "soft" }, t("loop.comparelead")),
    h("div", { class: "tiles" }, [old, fresh].filter(Boolean).map((one) => h("div", {}, h("h3", {}, h("a", { href: `/gen/${one.number}` }, t("generations.name", { number: String(one.number) }))), accuracy(one)))),
    old ? h("div", { class: "row" }, button(t("loop.docompare", { old: String(old.number), new: String(fresh.number) }), () => start({ kind: "diff", old: old === answering ? known.live : old.name, new: fresh.name }), { main: !job, disabled: working() }), cancelButton(job)) : null,
    job?.result?.verdict?.words ? h("p", { class: "note" }, job.result.verdict.words) : null,
    live ? h("p", {}, h("span", { class: "chip good" }, icon("check"), t("loop.islive", { number: String(fresh.number) })))
      : !old || job?.state === "done" ? h("div", {}, button(t("loop.promote", { number: String(fresh.number) }), () => promote(fresh), { main: true })) : null,
    !job || job.state !== "done" ? job && finding(job, t("loop.compare"))
      : h("details", {}, h("summary", {}, t("loop.details")), finding(job, t("loop.compare")).reverse()));
  mark();
}

async function promote(one) {
  await post(`/api/generations/${one.number}/promote`);
  say(t("loop.promoted", { number: String(one.number) }));
  await refresh();
}

// ---- all of it ----

/** Which step is done, and which one is next. */
function mark() {
  const some = CHANGES.some((key) => known.takeover?.[key]);
  const one = newest();
  const trained = Boolean(one?.snapshots.length) && !busy("train");
  const done = { takeover: !some && Boolean(known.tookover || one), prepare: Boolean(one) && !some && !known.tookover, train: trained && !some && !known.tookover, compare: one !== null && isLive(known.live, one) };
  const now = STEPS.find((step) => !done[step]) ?? null;
  for (const step of STEPS) {
    byId(step).classList.toggle("done", done[step] && step !== now);
    byId(step).classList.toggle("now", step === now);
  }
}

/** Before the first generation there is nothing to take over. */
function nothing(error) {
  if (![404, 422].includes(error.status)) throw error;
  return { conflicts: [] };
}

async function refresh() {
  const [takeover, { live, generations }] = await Promise.all([get("/api/takeover").catch(nothing), get("/api/generations")]);
  const last = generations.reduce((most, one) => Math.max(most, one.number), -1);
  known.tookover = localStorage.getItem(TAKEN) === String(last); // and no generation was prepared since
  Object.assign(known, { takeover, live, generations: [...generations].sort((one, other) => one.number - other.number) });
  showTakeover();
  showPrepare();
  showTrain();
  showCompare();
}

let later = null;
function soon() {
  clearTimeout(later);
  later = setTimeout(() => refresh().catch(report), 300);
}

onJob((job, before) => {
  if (!["prepare", "train", "diff"].includes(job.kind) || (jobs[job.kind] && job.id < jobs[job.kind].id)) return;
  jobs[job.kind] = job;
  if (job.kind === "train" && curve) curve.look();
  if (before && over(job) && !over(before)) soon();
  showPrepare();
  showTrain();
  showCompare();
});
for (const name of ["open", "label", "generation"]) on(name, soon);
outbox.addEventListener("change", () => known.takeover && showTakeover());
await reporting(refresh)();
