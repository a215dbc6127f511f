// Labels on their way to the server. An entry is stored before the page shows its effect, and removed when the server
// has acknowledged it: a tab or a server that dies loses nothing, and the server knows each key, so that none counts twice.
import { call } from "./api.js";
import { t } from "./words.js";

const PREFIX = `wf.outbox.${document.body.dataset.project}.`;
const REFUSED = `wf.refused.${document.body.dataset.project}.`;
const BATCH = 100; // of POST /api/labels
const WAITS = [500, 1000, 2000, 5000, 10_000]; // milliseconds between attempts while the server is away
const FINAL = new Set([400, 404, 413, 422]); // what no repetition mends

/** 128 random bits; `crypto.randomUUID` is missing on plain http from another machine. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

class Outbox extends EventTarget {
  #count = 0;
  #sending = false;
  #failures = 0;
  #timer = null;
  #last = 0;
  /** What stands in the way: null, "away" (the server does not answer), "login", or the server's own words. */
  trouble = null;

  constructor() {
    super();
    this.#count = this.#names().length;
    addEventListener("storage", (event) => {
      if (!event.key || event.key.startsWith(PREFIX) || event.key.startsWith(REFUSED)) this.#changed();
    });
    addEventListener("online", () => this.send());
    document.addEventListener("visibilitychange", () => document.hidden || this.send());
    if (this.#count) this.send();
  }

  /** How many entries the server has not acknowledged. */
  get waiting() {
    return this.#count;
  }

  /** The entries, oldest first: `{key, undo}` or `{key, sha256, kind, class, was, queue}`. */
  entries() {
    return this.#names().map((name) => JSON.parse(localStorage.getItem(name)));
  }

  /** What the server did not accept: `{entry, status, message}`. */
  refused() {
    return names(REFUSED).map((name) => JSON.parse(localStorage.getItem(name)));
  }

  /** Store a label; gives its key. */
  add(label) {
    const key = newKey();
    this.#store({ key, ...label });
    return key;
  }

  /** Take the label with that key back. */
  undo(key) {
    this.#store({ key, undo: true });
  }

  /** Forget a label that was refused. */
  dismiss(key) {
    localStorage.removeItem(REFUSED + key);
    this.#changed();
  }

  #names() {
    return names(PREFIX);
  }

  #store(entry) {
    this.#last = Math.max(this.#last + 1, Date.now() * 1000); // in order, whatever the clock does
    localStorage.setItem(`${PREFIX}${String(this.#last).padStart(17, "0")}.${entry.key}${entry.undo ? ".undo" : ""}`, JSON.stringify(entry));
    this.#count += 1;
    this.dispatchEvent(new Event("change"));
    if (!this.trouble) setTimeout(() => this.send()); // after the page has painted what the key did; else the timer sends
  }

  #changed() {
    this.#count = this.#names().length;
    this.dispatchEvent(new Event("change"));
  }

  /** Send what waits; one tab at a time. */
  async send() {
    if (this.#sending) return;
    this.#sending = true;
    clearTimeout(this.#timer);
    try {
      if (navigator.locks) await navigator.locks.request(PREFIX, () => this.#drain()); // there is none on plain http
      else await this.#drain();
      this.#failures = 0;
      this.trouble = null;
    } catch (error) {
      this.trouble = error.status === 401 ? "login" : [0, 502, 503, 504].includes(error.status) ? "away" : error.message;
      const wait = error.wait ? error.wait * 1000 : WAITS[Math.min(this.#failures++, WAITS.length - 1)];
      this.#timer = setTimeout(() => this.send(), wait);
    } finally {
      this.#sending = false;
      this.#changed();
    }
    if (this.#count && !this.trouble) this.send(); // what came while the lock was given back
  }

  async #drain() {
    for (let stored = this.#names(); stored.length; stored = this.#names()) {
      const first = JSON.parse(localStorage.getItem(stored[0]));
      if (first === null) continue; // another tab without locks has sent it
      if (first.undo) {
        await this.#undo(stored[0], first);
        continue;
      }
      const batch = [];
      for (const name of stored.slice(0, BATCH)) {
        const entry = JSON.parse(localStorage.getItem(name));
        if (entry?.undo) break;
        if (entry) batch.push([name, entry]);
      }
      await this.#post(batch);
    }
  }

  async #post(batch) {
    let answer;
    try {
      answer = await call("POST", "/api/labels", batch.map(([, entry]) => entry), { timeout: 15_000 });
    } catch (error) {
      if (!FINAL.has(error.status)) throw error;
      if (batch.length === 1) this.#settle(batch[0], { status: "refused", message: error.message });
      else for (const one of batch) await this.#post([one]); // one of them is wrong: the others are saved
      return;
    }
    const results = new Map(answer.results.map((result) => [result.key, result]));
    for (const one of batch) {
      this.#settle(one, results.get(one[1].key) ?? { status: "refused", message: t("outbox.unanswered") });
    }
    this.#changed();
  }

  async #undo(name, entry) {
    try {
      const answer = await call("POST", "/api/undo", { key: entry.key }, { timeout: 15_000 });
      this.dispatchEvent(new CustomEvent("undone", { detail: { entry, answer } }));
    } catch (error) {
      if (!FINAL.has(error.status)) throw error;
    }
    localStorage.removeItem(name);
    this.#changed();
  }

  #settle([name, entry], result) {
    if (result.status !== "saved" && result.status !== "known") {
      localStorage.setItem(REFUSED + entry.key, JSON.stringify({ entry, status: result.status, message: result.message }));
    }
    localStorage.removeItem(name);
    this.dispatchEvent(new CustomEvent("result", { detail: { entry, result } }));
  }
}

function names(prefix) {
  const found = [];
  for (let index = 0; index < localStorage.length; index++) {
    const name = localStorage.key(index);
    if (name.startsWith(prefix)) found.push(name);
  }
  return found.sort();
}

export const outbox = new Outbox();
