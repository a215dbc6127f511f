// Exchange a token for the cookie.
import { byId } from "./dom.js";
import "./shell.js";
import { t, wrong } from "./words.js";

const form = byId("login");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = byId("problem");
  problem.hidden = true;
  try {
    const answer = await fetch("/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: byId("token").value.trim() }) });
    if (answer.ok) {
      location.assign(form.dataset.next);
      return;
    }
    const text = await answer.json().catch(() => ({}));
    problem.textContent = answer.status === 401 ? t("login.wrong") : wrong({ ...text.error, status: answer.status }).text;
  } catch {
    problem.textContent = wrong({ status: 0 }).text;
  }
  problem.hidden = false;
  byId("token").focus();
});
