// Elements without markup in strings: no text of a sender is ever parsed as HTML.
const SVG = "http://www.w3.org/2000/svg";

/** The element with that id. */
export const byId = (id) => document.getElementById(id);

/**
 * An element.
 * @param {string} tag
 * @param {object} properties attributes; `class`, `data` (an object), `on` (event -> listener); false and null are left out.
 * @param {...(Node|string|null)} children
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An icon of icons.svg; decoration, hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** Let a screen reader say something, without moving the focus. */
export function say(text) {
  const place = byId("said");
  place.textContent = "";
  requestAnimationFrame(() => (place.textContent = text));
}

/** A message at the foot of the page for some seconds; an error stays until it is closed. */
export function toast(text, { error = false, hint = null } = {}) {
  const close = h("button", { class: "plain", "aria-label": byId("toasts").dataset.close, on: { click: () => box.remove() } }, icon("close"));
  const box = h("div", { class: error ? "toast bad" : "toast", role: error ? "alert" : "status" },
    h("p", {}, text, hint ? h("span", { class: "hint" }, hint) : null), close);
  byId("toasts").replaceChildren(box);
  if (!error) setTimeout(() => box.remove(), 5000);
}

/** Pictures of a few pixels are enlarged as squares, not blurred. */
export function sharpen(image) {
  const mark = () => image.classList.toggle("pixels", image.naturalWidth > 0 && image.naturalWidth <= 128);
  if (image.complete) mark();
  image.addEventListener("load", mark);
  return image;
}
