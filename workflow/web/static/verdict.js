// Is the answer right? Says so with one click; the picture is labelled, and the label can be taken back.
import { chooseClass } from "./choose.js";
import { h, icon, say } from "./dom.js";
import { outbox } from "./outbox.js";
import { t } from "./words.js";

const FEW = 6; // classes that have a button each

/**
 * The controls for one picture.
 * @param {{sha256: string, answer: string|null, classes: string[], current: string|null, look: boolean}} picture
 */
export function verdict({ sha256, answer, classes, current, look = false }) {
  const box = h("div", { class: "stack" });
  let label = current;
  let last = null;

  const set = (name) => {
    last = { key: outbox.add({ sha256, kind: "label", class: name, was: label, queue: null }), before: label };
    label = name;
    say(t("verdict.labelled", { class: name }));
    show();
  };
  const undo = () => {
    outbox.undo(last.key);
    label = last.before;
    last = null;
    say(t("label.undone"));
    show();
  };
  const ask = async () => {
    const name = await chooseClass(classes.filter((one) => one !== label), t("label.whichclass"));
    if (name !== null) set(name);
  };
  const button = (name, text, symbol, act) => h("button", { type: "button", class: name, on: { click: act } }, symbol ? icon(symbol) : null, text);

  function show() {
    const inside = look ? h("a", { class: "button", href: `/p/${sha256}` }, icon("look"), t("verdict.look")) : null;
    if (label !== null) {
      box.replaceChildren(
        h("p", { class: "row" }, h("span", { class: "chip good" }, icon("check"), t("verdict.labelled", { class: label }))),
        h("div", { class: "row" }, last ? button("", t("label.undo"), "undo", undo) : null, button("", t("verdict.change"), "label", ask), inside));
      return;
    }
    const others = classes.filter((name) => name !== answer);
    const wrong = others.length <= FEW
      ? h("div", { class: "row", role: "group", "aria-label": t("verdict.wrong") }, h("span", { class: "soft" }, t("verdict.wrong")), others.map((name) => button("", name, null, () => set(name))))
      : h("div", { class: "row" }, button("", t("verdict.wrong"), "wrong", ask));
    box.replaceChildren(h("div", { class: "row" }, answer === null ? null : button("main", t("verdict.right"), "check", () => set(answer)), inside), wrong);
  }

  show();
  return box;
}
