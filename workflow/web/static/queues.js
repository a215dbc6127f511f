// The queues with what waits in each, and how to fill those that are made of the network's answers.
import { get, post, report, reporting } from "./api.js";
import { byId, h } from "./dom.js";
import { on } from "./live.js";
import "./refused.js";
import { finding } from "./finding.js";
import { jobTitle, learn, onJob, over, owner, progress } from "./shell.js";
import { ago, known, number, t } from "./words.js";

const way = byId("main").dataset.way;
const FILLED = ["mistakes", "suspects"]; // by a job that needs nothing but the snapshot
const running = new Map(); // queue -> job

function card(queue) {
  const job = running.get(queue.name);
  const title = known(`queue.${queue.name}`) ? t(`queue.${queue.name}`) : queue.title;
  const lead = known(`queue.${queue.name}.lead`) ? t(`queue.${queue.name}.lead`) : "";
  const fill = owner && FILLED.includes(queue.name) && (!job || over(job))
    ? h("button", { type: "button", on: { click: reporting(() => start(queue.name)) } }, t(queue.filled ? "queues.refill" : "queues.fill")) : null;
  const open = h("a", { class: queue.count ? "button main" : "button", href: `/${way}/${encodeURIComponent(queue.name)}` }, t(`queues.open.${way}`));
  const other = way === "label" ? "review" : "label";
  return h("li", { class: "card queue" },
    h("div", {}, h("h2", {}, title), h("p", { class: "soft small" }, lead)),
    h("p", {}, h("span", { class: "count" }, number(queue.count)), " ", h("span", { class: "soft" }, t("queues.waiting", { count: queue.count })),
      queue.filled ? h("span", { class: "soft small" }, ` · ${ago(queue.filled)}`) : null),
    job && !over(job) ? progress(job) : null,
    h("div", { class: "row" }, queue.count ? open : null, fill,
      queue.count ? h("a", { href: `/${other}/${encodeURIComponent(queue.name)}`, class: "small" }, t(`queues.open.${other}`)) : null));
}

async function show() {
  const { queues } = await get("/api/queues");
  const missing = owner ? FILLED.filter((name) => !queues.some((queue) => queue.name === name)) : [];
  const list = [...queues, ...missing.map((name) => ({ name, title: name, count: 0, filled: null }))].map(card);
  if (way === "review") {
    list.push(h("li", { class: "card queue" }, h("div", {}, h("h2", {}, t("queue.all")), h("p", { class: "soft small" }, t("queue.all.lead"))),
      h("div", { class: "row" }, h("a", { class: "button", href: "/review/all" }, t("queues.open.review")))));
  }
  byId("queues").replaceChildren(...list);
  byId("queues").removeAttribute("aria-busy");
}

async function start(name) {
  learn((await post("/api/jobs", { kind: "fill", queue: name })).job);
}

// ---- queues that are made of a folder ----

async function showFolders() {
  if (way !== "label" || !owner) return;
  const { folders } = await get("/api/folders");
  if (!folders.length) return;
  const form = byId("folders");
  form.elements.folder.replaceChildren(...folders.map((name) => h("option", {}, name)));
  form.addEventListener("submit", reporting(async (event) => {
    event.preventDefault();
    learn((await post("/api/jobs", { kind: "fill", queue: form.elements.queue.value, folder: form.elements.folder.value })).job);
  }));
  form.hidden = false;
}

let later = null;
function soon() {
  clearTimeout(later);
  later = setTimeout(() => show().catch(report), 300);
}

onJob((job) => {
  if (job.kind !== "fill") return;
  running.set(job.queue, job);
  byId("filling").replaceChildren(...(over(job) && job.state === "done" ? [] : finding(job, jobTitle(job))));
  soon();
});
for (const name of ["open", "label", "judged"]) on(name, soon);
await reporting(show)();
await reporting(showFolders)();
