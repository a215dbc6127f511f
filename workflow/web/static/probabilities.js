// Probabilities as bars.
import { h } from "./dom.js";
import { percent } from "./words.js";

/**
 * The most probable classes, the first one emphasised.
 * @param {Object<string, number>} probabilities class -> 0..1
 * @param {number} most how many
 */
export function bars(probabilities, most = 10) {
  const sorted = Object.entries(probabilities).sort(([, one], [, other]) => other - one).slice(0, most);
  return h("ul", { class: "bars" }, sorted.map(([name, share], index) =>
    h("li", { class: index === 0 ? "first" : null }, h("span", {}, name), h("meter", { min: 0, max: 1, value: share, "aria-label": name }), h("span", {}, percent(share)))));
}
