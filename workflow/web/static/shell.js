// What every page has: the labels that still wait to be saved, and the job that runs.
import { get } from "./api.js";
import { byId, h, toast } from "./dom.js";
import { on } from "./live.js";
import { outbox } from "./outbox.js";
import { known, percent, sentences, t } from "./words.js";

function showUnsaved() {
  const place = byId("unsaved");
  const refused = outbox.refused().length;
  place.hidden = outbox.waiting === 0 && refused === 0;
  if (outbox.trouble === "login") place.textContent = t("outbox.login");
  else if (outbox.trouble) place.textContent = t("outbox.away", { count: outbox.waiting });
  else if (outbox.waiting) place.textContent = t("outbox.waiting", { count: outbox.waiting });
  else place.textContent = t("outbox.refused", { count: refused });
  place.title = ["away", "login", null].includes(outbox.trouble) ? "" : outbox.trouble;
  place.href = outbox.trouble === "login" ? "/login" : "/label";
}

/** Whether the reader owns the project; others label. */
export const owner = document.body.dataset.role === "owner";

const OVER = new Set(["done", "failed", "cancelled", "ended with the server"]);
const listeners = new Set();
const jobs = new Map();

/** Whether a job has ended. */
export const over = (job) => OVER.has(job.state);

/** The title of a job's state. */
export const stateWord = (job) => t(`job.${job.state === "ended with the server" ? "ended" : job.state}`);

/** What a job does, in the reader's words. */
export const jobTitle = (job) => {
  const key = `job.title.${job.kind}`;
  const look = job.look ? t(`look.${job.look}`) : "";
  return known(key) ? t(key, { ...job, look, generation: String(job.generation ?? "") }) : job.title;
};

/** All jobs that are known, newest first. */
export const allJobs = () => [...jobs.values()].sort((one, other) => other.id - one.id);

/** Call a listener with each job that changes; gives what ends that. */
export function onJob(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Take in a job, as a route has just answered it. */
export function learn(job) {
  const before = jobs.get(job.id);
  jobs.set(job.id, { ...before, ...job });
  showJob();
  for (const listener of listeners) listener(jobs.get(job.id), before);
}

async function fetchJobs() {
  try {
    for (const job of (await get("/api/jobs")).jobs) learn(job);
  } catch {
    // the page that needs the jobs says so; the next connection asks again
  }
}

function showJob() {
  const place = byId("job");
  const running = allJobs().find((job) => job.state === "running");
  place.hidden = !running;
  if (!running) return;
  const share = running.all ? ` ${percent(running.done / running.all, 0)}` : "";
  place.textContent = `${jobTitle(running)}${share}`;
}

/** A progress bar of a job with its numbers. */
export function progress(job) {
  const bar = h("progress", { "aria-label": jobTitle(job), max: job.all || null, value: job.all ? job.done : null });
  const numbers = job.all ? t("job.progress", { done: job.done, all: job.all, unit: known(`unit.${job.unit}`) ? t(`unit.${job.unit}`) : job.unit }) : stateWord(job);
  return h("div", {}, bar, h("p", { class: "soft small number" }, numbers));
}

outbox.addEventListener("change", showUnsaved);
outbox.addEventListener("result", ({ detail: { result } }) => {
  if (result.status === "conflict" || result.status === "refused") toast(t("outbox.notsaved"), { error: true, hint: sentences(result) });
});
showUnsaved();
if (owner) {
  on("job", learn);
  on("open", fetchJobs);
}
