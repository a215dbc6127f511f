// What a job found: its pictures and its words.
import { h, sharpen } from "./dom.js";
import { over, progress, stateWord } from "./shell.js";
import { wrong } from "./words.js";

/**
 * A job as it stands: progress, result or reason.
 * @param {object} job as GET /api/jobs gives it
 * @param {string} about what the pictures are about, for those who do not see them
 * @param {string[]|null} shown names of the pictures that are shown; null is all
 * @returns {Node[]}
 */
export function finding(job, about, shown = null) {
  const notes = (job.notes ?? []).slice(-3).map((note) => h("p", { class: "soft small" }, note));
  if (!over(job)) return [progress(job), ...notes];
  if (job.state === "failed") {
    const { text, hint } = wrong({ ...job.error, status: "failed" });
    return [h("p", { class: "note bad" }, text, " ", h("span", { class: "small" }, hint))];
  }
  if (job.state !== "done") return [h("p", { class: "note warn" }, stateWord(job))];
  const pictures = (job.result?.pictures ?? []).filter(({ name }) => !shown || shown.includes(name)).map(({ name, url }) =>
    h("figure", {}, h("a", { href: url, target: "_blank", rel: "noopener" }, sharpen(h("img", { src: url, alt: `${name}: ${about}`, loading: "lazy" })))));
  const words = job.result?.words ? [h("pre", { tabindex: 0, role: "region", "aria-label": about }, job.result.words)] : [];
  return [...pictures, ...words];
}
