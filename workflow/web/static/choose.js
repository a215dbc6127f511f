// Choose a class from a list by typing a part of its name.
import { h } from "./dom.js";
import { t } from "./words.js";

/**
 * A dialog with a search field and the classes.
 * @param {string[]} classes
 * @param {string} title
 * @returns {Promise<string|null>} null when it was closed
 */
export function chooseClass(classes, title) {
  return new Promise((resolve) => {
    let answer = null;
    const list = h("div", { class: "row", role: "group", "aria-label": t("choose.classes") });
    const field = h("input", { type: "search", autocomplete: "off", autocapitalize: "none", on: { input: () => show() } });
    const pick = (name) => {
      answer = name;
      dialog.close();
    };
    const matching = () => {
      const part = field.value.trim().toLowerCase();
      const found = classes.filter((name) => name.toLowerCase().includes(part));
      return found.sort((one, other) => Number(other.toLowerCase().startsWith(part)) - Number(one.toLowerCase().startsWith(part)));
    };
    const show = () => list.replaceChildren(...matching().slice(0, 60).map((name) => h("button", { type: "button", on: { click: () => pick(name) } }, name)));
    const form = h("form", { class: "stack", on: { submit: (event) => {
      event.preventDefault();
      const [first] = matching();
      if (first !== undefined) pick(first);
    } } }, h("h2", { id: "choose-title" }, title));
    if (classes.length > 6) form.append(h("label", {}, h("span", {}, t("choose.search")), field));
    form.append(list, h("div", { class: "row" }, h("button", { type: "button", on: { click: () => dialog.close() } }, t("frame.cancel"))));
    const dialog = h("dialog", { "aria-labelledby": "choose-title", on: { close: () => {
      dialog.remove();
      resolve(answer);
    } } }, form);
    show();
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A dialog with a question; true for its main answer. */
export function confirmed(title, text, action) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "confirm-title", on: { close: () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    } } }, h("form", { method: "dialog", class: "stack" },
      h("h2", { id: "confirm-title" }, title), h("p", {}, text),
      h("div", { class: "row" }, h("button", { class: "main", value: "yes" }, action), h("button", { value: "no" }, t("frame.cancel")))));
    document.body.append(dialog);
    dialog.showModal();
  });
}
