// A generation's accuracy.
import { h } from "./dom.js";
import { percent, t } from "./words.js";

/** Accuracy with its interval. */
export function accuracy(one) {
  if (one.accuracy === null || one.accuracy === undefined) return h("p", { class: "soft" }, t("generations.untested"));
  const [from, to] = one.interval ?? [null, null];
  return h("p", {}, h("span", { class: "answer number" }, percent(one.accuracy)),
    from === null ? null : h("span", { class: "soft small number" }, ` ${t("generations.interval", { from: percent(from), to: percent(to) })}`));
}

/** Whether the live snapshot is one of that generation. */
export const isLive = (live, one) => live !== null && String(live).startsWith(`${one.name}/`);
