// The curve of a training: loss at each iteration, loss and accuracy of the test passes. It grows while the run goes.
import { get } from "./api.js";
import { h } from "./dom.js";
import { on } from "./live.js";
import { number, percent, t } from "./words.js";

const POINTS = 1500; // steps that are drawn: neighbours are averaged beyond
const POLL = 1000; // milliseconds between looks at a run that goes on
const HEIGHT = 280;

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A live curve of one generation in an element. */
export class Curve {
  #place;
  #generation;
  #rows = { steps: [], tests: new Map() };
  #split = "test"; // what the test passes look at
  #from = 0;
  #plot = null;
  #figure;
  #words;
  #timer = null;
  #busy = false;
  #ended = false;
  /** Called with each answer: `{running, iteration}`. */
  onchange = () => {};

  constructor(place, generation) {
    this.#place = place;
    this.#generation = generation;
    this.#words = h("p", { class: "soft small number" }, t("curve.none"));
    this.#figure = h("div", { "aria-hidden": "true" });
    place.replaceChildren(this.#words, this.#figure);
    const theme = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => {
      this.#plot?.destroy();
      this.#plot = null;
      this.#draw();
    };
    theme.addEventListener("change", redraw);
    const sized = new ResizeObserver(() => this.#plot?.setSize({ width: place.clientWidth, height: HEIGHT }));
    sized.observe(place);
    const visible = () => document.hidden || this.look();
    document.addEventListener("visibilitychange", visible);
    const quiet = on("metrics", (news) => news?.generation === this.#generation && this.look());
    this.close = () => {
      this.#ended = true;
      clearTimeout(this.#timer);
      theme.removeEventListener("change", redraw);
      document.removeEventListener("visibilitychange", visible);
      sized.disconnect();
      quiet();
    };
    this.look();
  }

  get generation() {
    return this.#generation;
  }

  /** Fetch what is new. */
  async look() {
    if (this.#busy || this.#ended) return;
    this.#busy = true;
    clearTimeout(this.#timer);
    let running = true;
    try {
      const news = await get(`/api/generations/${this.#generation}/metrics?from=${this.#from}`);
      if (this.#ended) return;
      if (news.next < this.#from) [this.#rows, this.#from] = [{ steps: [], tests: new Map() }, 0]; // a run began anew
      else {
        this.#from = news.next;
        for (const row of news.lines) this.#take(row);
      }
      running = news.running;
      this.#draw();
      this.onchange({ running, iteration: this.#rows.steps.at(-1)?.[0] ?? 0 });
    } catch (error) {
      running = error.status !== 404; // nothing was trained yet
      if (!running) this.onchange({ running, iteration: 0 });
    } finally {
      this.#busy = false;
      if (running && !this.#ended && !document.hidden) this.#timer = setTimeout(() => this.look(), POLL);
    }
  }

  #take(line) {
    const row = typeof line === "string" ? JSON.parse(line) : line;
    if (row.kind === "step") {
      while (this.#rows.steps.length && this.#rows.steps.at(-1)[0] >= row.iteration) this.#rows.steps.pop(); // resumed
      this.#rows.steps.push([row.iteration, row.loss]);
    } else if (row.net === 0) {
      if (row.kind !== this.#split) {
        this.#split = row.kind;
        this.#plot?.destroy();
        this.#plot = null;
      }
      const named = (part) => Object.entries(row).find(([name]) => name.includes(part))?.[1] ?? null;
      this.#rows.tests.set(row.iteration, { accuracy: named("acc"), loss: named("loss") });
    }
  }

  #data() {
    const { steps, tests } = this.#rows;
    const each = Math.max(1, Math.ceil(steps.length / POINTS));
    const at = new Map();
    for (let first = 0; first < steps.length; first += each) {
      const some = steps.slice(first, first + each).filter(([, loss]) => Number.isFinite(loss));
      if (some.length) at.set(some.at(-1)[0], [some.reduce((sum, [, loss]) => sum + loss, 0) / some.length, null, null]);
    }
    for (const [iteration, { accuracy, loss }] of tests) {
      const row = at.get(iteration) ?? [null, null, null];
      at.set(iteration, [row[0], loss, accuracy]);
    }
    const xs = [...at.keys()].sort((one, other) => one - other);
    return [xs, ...[0, 1, 2].map((column) => xs.map((x) => at.get(x)[column]))];
  }

  #draw() {
    const data = this.#data();
    if (!data[0].length) return;
    const last = this.#rows.steps.at(-1);
    const [tested, test] = [...this.#rows.tests].at(-1) ?? [null, null];
    const words = [last ? t("curve.step", { iteration: last[0], loss: last[1]?.toFixed(3) ?? "–" }) : ""];
    if (test && test.accuracy !== null) words.push(t(`curve.${this.#split}`, { iteration: tested, accuracy: percent(test.accuracy) }));
    this.#words.textContent = words.join(" ");
    if (this.#plot) this.#plot.setData(data);
    else this.#plot = new window.uPlot(this.#options(), data, this.#figure);
  }

  #options() {
    const axis = { stroke: style("--soft"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
    const gaps = { spanGaps: true };
    return {
      width: this.#place.clientWidth,
      height: HEIGHT,
      cursor: { points: { size: 6 } },
      scales: { x: { time: false }, accuracy: { range: [0, 1] }, y: { range: (_, least, most) => [0, Math.max(0.1, most * 1.05) || 1] } },
      axes: [
        { ...axis, label: t("curve.iteration"), labelSize: 22, labelFont: "12px system-ui, sans-serif", values: (_, ticks) => ticks.map(number) },
        { ...axis, label: t("curve.loss"), labelSize: 22, labelFont: "12px system-ui, sans-serif" },
        { ...axis, scale: "accuracy", side: 1, grid: { show: false }, label: t(`curve.${this.#split}accuracy`), labelSize: 22, labelFont: "12px system-ui, sans-serif", values: (_, ticks) => ticks.map((tick) => percent(tick, 0)) },
      ],
      series: [
        { label: t("curve.iteration"), value: (_, value) => (value === null ? "–" : number(value)) },
        { label: t("curve.trainloss"), stroke: style("--edge"), width: 1, points: { show: false }, ...gaps, value: (_, value) => value?.toFixed(4) ?? "–" },
        { label: t(`curve.${this.#split}loss`), stroke: style("--warn"), width: 2, points: { size: 6, fill: style("--warn") }, ...gaps, value: (_, value) => value?.toFixed(4) ?? "–" },
        { label: t(`curve.${this.#split}accuracy`), scale: "accuracy", stroke: style("--accent"), width: 2, points: { size: 6, fill: style("--accent") }, ...gaps, value: (_, value) => percent(value) },
      ],
    };
  }
}
