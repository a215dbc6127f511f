// Shared by all tabs: one connection to /api/events, passed on to the tabs that are visible.
const NAMES = ["job", "judged", "label", "generation", "metrics"];
const tabs = new Map(); // port -> visible?
let stream = null;

function pass(message) {
  for (const [port, visible] of tabs) if (visible) port.postMessage(message);
}

function adjust() {
  const wanted = [...tabs.values()].some(Boolean);
  if (wanted && !stream) open();
  if (!wanted && stream) {
    stream.close();
    stream = null;
  }
}

function open() {
  stream = new EventSource("/api/events");
  stream.onopen = () => pass({ name: "open", data: null });
  stream.onerror = () => {
    if (stream?.readyState !== EventSource.CLOSED) return; // it reconnects by itself
    stream = null;
    setTimeout(adjust, 3000);
  };
  for (const name of NAMES) stream.addEventListener(name, (event) => pass({ name, data: JSON.parse(event.data) }));
}

self.onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data: state }) => {
    if (state === "gone") tabs.delete(port);
    else {
      const before = tabs.get(port);
      tabs.set(port, state === "visible");
      if (state === "visible" && !before && stream?.readyState === EventSource.OPEN) port.postMessage({ name: "open", data: null });
    }
    adjust();
  };
  port.addEventListener("close", () => {
    tabs.delete(port); // a tab that crashed says no goodbye
    adjust();
  });
  port.start();
};
