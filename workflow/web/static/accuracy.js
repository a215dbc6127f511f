// A generation's accuracy and numbers of pictures.
import { h } from "./dom.js";
import { number, percent, t } from "./words.js";

/** Test accuracy with its interval; before the end of training that of the validation pictures. */
export function accuracy(one) {
  const known = one.validation_accuracy ?? null;
  if ((one.accuracy ?? null) === null) {
    const words = known === null ? t("generations.untested") : t("generations.validated", { accuracy: percent(known) });
    return h("p", { class: "soft" }, words);
  }
  const [from, to] = one.interval ?? [null, null];
  return h("p", {}, h("span", { class: "answer number" }, percent(one.accuracy)),
    from === null ? null : h("span", { class: "soft small number" }, ` ${t("generations.interval", { from: percent(from), to: percent(to) })}`));
}

/** How many pictures of each part it has, in words. */
export function pictures({ train = 0, validation = 0, test = 0 }) {
  const key = validation ? "generations.picturesofthree" : "generations.pictures";
  return t(key, { train: number(train), validation: number(validation), test: number(test) });
}

/** Whether the live snapshot is one of that generation. */
export const isLive = (live, one) => live !== null && String(live).startsWith(`${one.name}/`);
