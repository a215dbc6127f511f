// Who may call this server: make a token, whose text is shown once, and revoke one.
import { call, get, post, reporting } from "./api.js";
import { byId, h, say } from "./dom.js";
import "./shell.js";
import { ago, t } from "./words.js";

const form = byId("add");
const explain = () => (byId("may").textContent = t(`tokens.may.${form.elements.role.value}`));

function row(token) {
  const revoke = h("button", { type: "button", class: "danger", on: { click: reporting(() => end(token)) } }, t("tokens.revoke"),
    h("span", { class: "unseen" }, ` ${token.name}`));
  return h("li", { class: "card row spread" },
    h("div", {}, h("p", {}, h("strong", {}, token.name), " ", h("span", { class: "chip" }, t(`tokens.role.${token.role}`))),
      h("p", { class: "soft small" }, t("tokens.created", { when: ago(token.created) }))),
    token.revoked ? h("span", { class: "soft" }, t("tokens.revoked", { when: ago(token.revoked) })) : revoke);
}

async function show() {
  const { tokens } = await get("/api/tokens");
  tokens.sort((one, other) => Boolean(one.revoked) - Boolean(other.revoked)); // those that open something come first
  byId("tokens").replaceChildren(...(tokens.length ? tokens.map(row) : [h("li", { class: "soft" }, t("tokens.none"))]));
  byId("tokens").removeAttribute("aria-busy");
}

async function end(token) {
  if (!confirm(t("tokens.sure", { name: token.name }))) return;
  await call("DELETE", `/api/tokens/${encodeURIComponent(token.name)}`);
  await show();
  say(t("tokens.ended", { name: token.name }));
}

function tell(made) {
  const text = h("code", { class: "token" }, made.token);
  const copy = h("button", { type: "button", on: { click: reporting(async () => {
    await navigator.clipboard.writeText(made.token);
    say(t("tokens.copied"));
    copy.textContent = t("tokens.copied");
  }) } }, t("tokens.copy"));
  byId("made").replaceChildren(h("p", {}, t("tokens.once", { name: made.name })), h("div", { class: "row" }, text, navigator.clipboard ? copy : null));
  byId("made").hidden = false;
  byId("made").focus();
}

form.elements.role.addEventListener("change", explain);
form.addEventListener("submit", reporting(async (event) => {
  event.preventDefault();
  const made = await post("/api/tokens", { name: form.elements.name.value.trim(), role: form.elements.role.value });
  form.elements.name.value = "";
  tell(made);
  await show();
}));
explain();
await reporting(show)();
