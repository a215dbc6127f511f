// One generation: its figures, its curve, its snapshots and its report.
import { accuracy, isLive, pictures } from "./accuracy.js";
import { get, post, reporting } from "./api.js";
import { Curve } from "./chart.js";
import { byId, h, icon } from "./dom.js";
import { finding } from "./finding.js";
import { on } from "./live.js";
import { learn, onJob, over } from "./shell.js";
import { ago, number, percent, t } from "./words.js";

const which = Number(byId("main").dataset.number);
let job = null;

function table(heads, rows) {
  return h("table", {}, h("thead", {}, h("tr", {}, heads.map((head, index) => h("th", { scope: "col", class: index === 0 ? "text" : null }, head)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, index) => h("td", { class: index === 0 ? "text" : null }, cell))))));
}

async function show() {
  const [one, { live }] = await Promise.all([get(`/api/generations/${which}`), get("/api/generations")]);
  byId("facts").replaceChildren(
    h("div", { class: "row spread" }, accuracy(one),
      h("div", { class: "row" }, isLive(live, one) ? h("span", { class: "chip good" }, icon("check"), t("generations.live")) : null, h("span", { class: "chip" }, t(`generations.state.${one.state.replace(" ", "")}`)))),
    ...[one.verdict ? h("p", {}, one.verdict) : null].filter(Boolean),
    h("p", { class: "soft small number" }, [pictures(one.pictures), one.trained ? ago(one.trained) : null].filter(Boolean).join(" · ")),
    ...(one.counts ? [counts(one.counts)] : []));
  byId("facts").removeAttribute("aria-busy");
  byId("snapshots").replaceChildren(one.snapshots.length ? snapshots(one) : h("p", { class: "soft" }, t("generations.nosnapshots")));
}

/** Pictures of each class: `{train: {class: n}, validation: {class: n}, test: {class: n}}`. */
function counts(all) {
  const splits = ["train", "validation", "test"].filter((split) => all[split]);
  const names = [...new Set(splits.flatMap((split) => Object.keys(all[split])))];
  const rows = names.map((name) => [name, ...splits.map((split) => number(all[split][name] ?? 0))]);
  const heads = [t("generations.class"), ...splits.map((split) => t(`generations.${split}pictures`))];
  return h("div", { class: "scroll", tabindex: 0 }, table(heads, rows));
}

function snapshots(one) {
  const rows = [...one.snapshots].reverse().map((each) => [
    h("span", {}, each.name, " ", each.best ? h("span", { class: "chip good" }, t("generations.best")) : null),
    percent(each.accuracy), each.loss?.toFixed(3) ?? "–"]);
  return table([t("generations.iteration"), t(`generations.${one.solver_split}accuracy`), t(`generations.${one.solver_split}loss`)], rows);
}

function showReport() {
  const waiting = job !== null && !over(job);
  const link = job?.state === "done" ? job.result?.url : null;
  byId("report").replaceChildren(
    h("p", { class: "soft small" }, t("generations.reportlead")),
    h("div", { class: "row" },
      h("button", { type: "button", disabled: waiting, on: { click: reporting(write) } }, t("generations.write")),
      link ? h("a", { class: "button main", href: link, target: "_blank", rel: "noopener" }, t("generations.openreport")) : null),
    ...(job && job.state !== "done" ? finding(job, t("generations.report")) : []));
}

async function write() {
  learn((await post("/api/jobs", { kind: "report", generation: which })).job);
}

onJob((one) => {
  if (one.kind !== "report" || one.generation !== which || (job && one.id < job.id)) return;
  job = one;
  showReport();
});
on("generation", reporting(show));
showReport();
new Curve(byId("curve"), which);
await reporting(show)();
