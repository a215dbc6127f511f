// The words of the reader's language, from locales/LANGUAGE.json.
const language = document.documentElement.lang;
const words = await (await fetch(`/static/locales/${language}.json`)).json();
const plural = new Intl.PluralRules(language);

/** The text of a key. `{name}` is replaced; a key with `.one` and `.other` is chosen by `count`. */
export function t(key, values = {}) {
  const text = words[key] ?? words[`${key}.${plural.select(values.count ?? 0)}`] ?? words[`${key}.other`] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : String(value ?? "");
  });
}

/**
 * What went wrong, in the reader's language. The server's own sentences are English: other readers get the sentence of the
 * kind of error, and the server's as a hint, for what it says of this one.
 * @param {{id: string?, status: number|string, message: string?, hint: string?}} error status: of HTTP, or of a label or job
 * @returns {{text: string, hint: string}}
 */
export function wrong({ id, status, message, hint }) {
  const kind = [`error.${id}`, `error.${status}`].find((key) => key in words);
  if (message && (language === "en" || !kind)) return { text: message, hint: hint ?? "" };
  return { text: kind ? t(kind) : t("error.status", { status: String(status) }), hint: [message, hint].filter(Boolean).join(" ") };
}

/** `wrong`, in one text. */
export function sentences(error) {
  const { text, hint } = wrong(error);
  return hint ? `${text} ${hint}` : text;
}

/** Whether there is a text of that key. */
export const known = (key) => key in words;

const plain = new Intl.NumberFormat(language);
export const number = (value) => plain.format(value);

const shares = new Map();

/** A share 0..1 as a percentage. */
export function percent(value, digits = 1) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!shares.has(digits)) {
    const options = { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits };
    shares.set(digits, new Intl.NumberFormat(language, options));
  }
  return shares.get(digits).format(value);
}

const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const STEPS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** A moment (ISO 8601, or seconds since 1970) for people: "5 minutes ago", a date after a week. */
export function ago(moment) {
  const then = moment instanceof Date ? moment : new Date(typeof moment === "number" ? moment * 1000 : moment);
  if (Number.isNaN(then.getTime())) return "";
  const seconds = (then - Date.now()) / 1000;
  if (Math.abs(seconds) > 7 * 86400) return absolute.format(then);
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}

/** A number of bytes for people. */
export function bytes(count) {
  const [unit, size] = [["megabyte", 1e6], ["kilobyte", 1e3], ["byte", 1]].find(([, length]) => count >= length) ?? ["byte", 1];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(count / size);
}
