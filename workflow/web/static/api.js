// Calls of the API: JSON in, JSON out.
import { toast } from "./dom.js";
import { wrong } from "./words.js";

/** An answer that is no success: its sentence, its hint and its status; status 0 is a server that did not answer. */
export class ApiError extends Error {
  constructor(status, { id = null, message = "", hint = null } = {}, wait = null) {
    const found = wrong({ id, status, message, hint });
    super(found.text);
    Object.assign(this, { status, id, hint: found.hint, wait });
  }
}

/**
 * One call.
 * @param {string} method GET, POST, DELETE
 * @param {string} path
 * @param {object|Blob|undefined} body a Blob is sent as it is, anything else as JSON
 * @param {number} timeout milliseconds
 */
export async function call(method, path, body = undefined, { timeout = 30_000 } = {}) {
  const options = { method, signal: AbortSignal.timeout(timeout), headers: { Accept: "application/json" } };
  if (body instanceof Blob) {
    options.body = body;
    options.headers["Content-Type"] = body.type || "application/octet-stream";
  } else if (method !== "GET") {
    options.body = JSON.stringify(body ?? {});
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new ApiError(0);
  }
  const text = await answer.text();
  let document_ = {};
  try {
    document_ = text ? JSON.parse(text) : {};
  } catch {
    document_ = {};
  }
  if (answer.ok) return document_;
  throw new ApiError(answer.status, document_.error ?? {}, Number(answer.headers.get("Retry-After")) || null);
}

export const get = (path, options) => call("GET", path, undefined, options);
export const post = (path, body, options) => call("POST", path, body, options);

/** Show an error to the reader; without a login, go to the page that asks for it. */
export function report(error) {
  if (error.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
    return;
  }
  if (!(error instanceof ApiError)) console.error(error);
  toast(error.message, { error: true, hint: error.hint });
}

/** A listener that shows what goes wrong in it. */
export const reporting = (listener) => async (...values) => {
  try {
    return await listener(...values);
  } catch (error) {
    report(error);
    return undefined;
  }
};
