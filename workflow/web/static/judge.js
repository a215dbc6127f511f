// Judge pictures that are dropped, pasted, chosen or photographed.
import { call, get, report } from "./api.js";
import { byId, h, icon, say, sharpen, toast } from "./dom.js";
import { bars } from "./probabilities.js";
import "./shell.js";
import { verdict } from "./verdict.js";
import { t } from "./words.js";

const AT_ONCE = 3;
const SHOWN = 200; // answers that stay on the page
const TYPES = { avif: "image/avif", bmp: "image/bmp", gif: "image/gif", heic: "image/heic", jpeg: "image/jpeg", jpg: "image/jpeg", png: "image/png", webp: "image/webp" };

const waiting = [];
let working = 0;
let all = 0;
let failed = 0;
const judged = []; // {name, answer}, newest first
let shown = null;

function take(files) {
  const list = [...files];
  if (!list.length) return;
  if (!waiting.length && !working) [all, failed] = [0, 0];
  all += list.length;
  waiting.push(...list);
  byId("drop").classList.add("small");
  count();
  for (let free = AT_ONCE - working; free > 0; free--) work();
}

async function work() {
  if (!waiting.length) return;
  working += 1;
  while (waiting.length) await judge(waiting.shift());
  working -= 1;
  count();
}

async function judge(file) {
  try {
    const type = file.type || TYPES[file.name.split(".").at(-1).toLowerCase()] || "application/octet-stream";
    const body = file.type ? file : new Blob([file], { type });
    const answer = await patient(body);
    judged.unshift({ name: file.name, answer });
    judged.length = Math.min(judged.length, SHOWN);
    if (shown === null || all === 1 || judged.length === 1) show(judged[0]);
    else strip();
    if (all === 1) say(t("judge.said", { class: named(answer), share: Math.round(answer.probability * 100) }));
  } catch (error) {
    failed += 1;
    if (error.status === 401 || all === 1) report(error);
    else toast(`${file.name}: ${error.message}`, { error: true, hint: error.hint });
  }
  count();
}

/** A busy server is asked again when it says. */
async function patient(body) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call("POST", "/api/judge?keep=true", body, { timeout: 60_000 });
    } catch (error) {
      if ((error.status !== 503 && error.status !== 429) || attempt === 5) throw error;
      await new Promise((resume) => setTimeout(resume, (error.wait ?? 1) * 1000));
    }
  }
}

function count() {
  const done = all - waiting.length - working;
  const place = byId("progress");
  place.hidden = working === 0 || all < 2;
  place.replaceChildren(h("progress", { max: all, value: done, "aria-label": t("judge.working") }), h("p", { class: "soft small number" }, t("judge.progress", { done, all })));
}

function show(one) {
  shown = one;
  const { answer } = one;
  const place = h("div");
  const image = sharpen(h("img", { src: `/api/pictures/${answer.sha256}/thumb?side=512`, alt: t("judge.picture", { name: one.name }) }));
  byId("answer").replaceChildren(
    h("div", { class: "frame" }, image),
    h("div", { class: "stack" },
      h("div", {}, h("p", { class: "soft small" }, t("judge.answer", { snapshot: answer.snapshot })), h("h2", { class: "answer" }, named(answer))),
      bars(answer.probabilities),
      knownWords(answer),
      place));
  get(`/api/pictures/${answer.sha256}`).then(({ label }) => { // it may have been sent and labelled before
    place.replaceChildren(verdict({ sha256: answer.sha256, answer: answer.label, classes: Object.keys(answer.probabilities), current: label, look: true }));
  }, report);
  byId("answer").hidden = false;
  strip();
}

function named(answer) {
  return answer.unknown ? t("judge.unknown", { class: answer.label }) : answer.label;
}

function knownWords({ known }) {
  if (!known) return h("p", { class: "soft" }, t("judge.new"));
  return h("p", {}, h("span", { class: "chip accent" }, t("judge.known", { class: known.class, generation: String(known.generation), split: t(`review.${known.split}`) })));
}

function strip() {
  byId("others").hidden = judged.length < 2;
  byId("strip").replaceChildren(...judged.map((one) => {
    const picture = sharpen(h("img", { src: `/api/pictures/${one.answer.sha256}/thumb?side=256`, alt: "", loading: "lazy" }));
    return h("li", {}, h("button", { type: "button", "aria-pressed": String(one === shown), on: { click: () => {
      show(one);
      byId("answer").scrollIntoView({ block: "nearest" });
    } } }, h("span", { class: "frame" }, picture), h("span", {}, named(one.answer))));
  }));
}

/** The files of what was dropped, folders included. */
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  const walk = async (entry) => {
    if (entry.isFile) found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    if (!entry.isDirectory) return;
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) break;
      for (const one of some) await walk(one);
    }
  };
  for (const entry of entries) await walk(entry);
  return found;
}

const drop = byId("drop");
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (event) => event.relatedTarget === null && drop.classList.remove("over"));
addEventListener("drop", async (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(await filesOf(event.dataTransfer));
});
addEventListener("paste", (event) => take(event.clipboardData?.files ?? []));
for (const id of ["files", "camera"]) {
  byId(id).addEventListener("change", (event) => {
    take(event.target.files);
    event.target.value = "";
  });
  byId(`${id}button`).addEventListener("click", () => byId(id).click());
}
byId("camerabutton").prepend(icon("camera"));
byId("filesbutton").prepend(icon("picture"));
