// What the server reports while it happens. One connection for all tabs of a browser (a browser opens six to one host:
// eight tabs with one each would stall), none while every tab is hidden.
const source = new EventTarget();
const NAMES = ["job", "judged", "label", "generation", "metrics"];

function deliver({ name, data }) {
  source.dispatchEvent(new CustomEvent(name, { detail: data }));
}

function shared() {
  const worker = new SharedWorker("/static/live_worker.js", { name: "wf-live" });
  worker.port.onmessage = (message) => deliver(message.data);
  const tell = (state) => worker.port.postMessage(state);
  const visible = () => tell(document.hidden ? "hidden" : "visible");
  document.addEventListener("visibilitychange", visible);
  addEventListener("pagehide", () => tell("gone"));
  addEventListener("pageshow", visible);
  worker.port.start();
  visible();
}

function own() {
  let stream = null;
  const open = () => {
    if (document.hidden || stream) return;
    stream = new EventSource("/api/events");
    stream.onopen = () => deliver({ name: "open", data: null });
    stream.onerror = () => {
      if (stream?.readyState === EventSource.CLOSED) {
        stream = null;
        setTimeout(open, 3000);
      }
    };
    for (const name of NAMES) stream.addEventListener(name, (event) => deliver({ name, data: JSON.parse(event.data) }));
  };
  const close = () => {
    stream?.close();
    stream = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}

/**
 * Listen to an event of the server. `open` comes after each new connection: what happened before it must be fetched.
 * Gives what ends that.
 */
export function on(name, listener) {
  const heard = (event) => listener(event.detail);
  source.addEventListener(name, heard);
  return () => source.removeEventListener(name, heard);
}

if (window.SharedWorker) shared();
else own(); // a phone's browser, which shows one tab at a time
