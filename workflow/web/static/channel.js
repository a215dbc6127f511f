// One channel of one blob: what excites it.
import { get, post, reporting } from "./api.js";
import { byId, h } from "./dom.js";
import { finding } from "./finding.js";
import { learn, onJob, over } from "./shell.js";
import { t } from "./words.js";

const { number, blob, channel } = byId("main").dataset;
const unit = `${blob}:${channel}`;
const jobs = new Map();

function card(look) {
  const job = jobs.get(look);
  const waiting = job && !over(job);
  const title = t(`channel.${look}`);
  return h("section", { class: job?.state === "done" ? "card found" : "card", "aria-label": title, data: { look } },
    h("div", { class: "row spread" }, h("h2", {}, title), h("button", { type: "button", disabled: waiting, on: { click: reporting(() => begin(look)) } }, t(job && !waiting ? "look.again" : "look.make"))),
    h("p", { class: "soft small" }, t(`channel.${look}.lead`)),
    job ? finding(job, title, look === "dream" ? ["sheet"] : null) : null);
}

const show = () => byId("looks").replaceChildren(...["channels", "dream"].map(card));

async function begin(look) {
  learn((await post("/api/jobs", { kind: look, generation: Number(number), unit })).job);
}

onJob((job) => {
  if (job.channel !== unit || job.generation !== Number(number)) return;
  jobs.set(job.kind, job);
  show();
});
show();
