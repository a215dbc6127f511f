// Labels that the server did not accept: somebody else was quicker, or they were wrong.
import { get, reporting } from "./api.js";
import { byId, h } from "./dom.js";
import { outbox } from "./outbox.js";
import { sentences, t } from "./words.js";

/** What a label says, in a word. */
export const said = ({ kind, class: name }) => (kind === "label" ? name : t(`label.did.${kind}`));

async function insist({ key, ...label }) {
  const picture = await get(`/api/pictures/${label.sha256}`);
  outbox.add({ ...label, was: picture.label });
  outbox.dismiss(key);
}

function show() {
  const refused = outbox.refused();
  byId("refused").hidden = refused.length === 0;
  byId("refusedlist").replaceChildren(...refused.map(({ entry, status, message }) => {
    const conflict = status === "conflict";
    return h("li", { class: "stack" },
      h("p", {}, h("a", { href: `/p/${entry.sha256}` }, said(entry)), ` – ${sentences({ status, message })}`),
      h("div", { class: "row" },
        conflict ? h("button", { type: "button", on: { click: reporting(() => insist(entry)) } }, t("label.usemine")) : null,
        h("button", { type: "button", on: { click: () => outbox.dismiss(entry.key) } }, t(conflict ? "label.keeptheirs" : "label.forget"))));
  }));
}

outbox.addEventListener("change", show);
show();
