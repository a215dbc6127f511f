// All generations, the newest first.
import { accuracy, isLive, pictures } from "./accuracy.js";
import { get, reporting } from "./api.js";
import { byId, h, icon } from "./dom.js";
import { on } from "./live.js";
import "./shell.js";
import { ago, t } from "./words.js";

function card(one, live) {
  return h("article", { class: "card" },
    h("div", { class: "row spread" },
      h("h2", {}, h("a", { href: `/gen/${one.number}` }, t("generations.name", { number: String(one.number) }))),
      h("div", { class: "row" }, isLive(live, one) ? h("span", { class: "chip good" }, icon("check"), t("generations.live")) : null, h("span", { class: "chip" }, t(`generations.state.${one.state.replace(" ", "")}`)))),
    accuracy(one),
    one.verdict ? h("p", {}, one.verdict) : null,
    h("p", { class: "soft small number" }, [
      one.pictures ? pictures(one.pictures) : null,
      t("generations.snapshotcount", { count: one.snapshots.length }),
      one.trained ? ago(one.trained) : null].filter(Boolean).join(" · ")));
}

async function show() {
  const { live, generations } = await get("/api/generations");
  const list = [...generations].sort((a, b) => b.number - a.number).map((one) => card(one, live));
  byId("generations").replaceChildren(...(list.length ? list : [h("div", { class: "empty" }, icon("generations"), h("h2", {}, t("generations.none")), h("p", {}, t("generations.nonelead")), h("div", { class: "row" }, h("a", { class: "button main", href: "/loop" }, t("frame.loop"))))]));
  byId("generations").removeAttribute("aria-busy");
}

on("generation", reporting(show));
await reporting(show)();
