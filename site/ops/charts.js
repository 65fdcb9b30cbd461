// Draws the plots of a module from the API, and draws them again when the page has changed. Without it, or without a
// canvas, the page says the same in sentences and tables.
(() => {
  "use strict";
  const root = document.getElementById("plots");
  if (!root || !window.uPlot) return;
  const { api, query, zone } = root.dataset;
  const words = JSON.parse(root.dataset.words);
  const language = document.documentElement.lang;
  const PHASES = ["resolve", "connect", "tls", "processing", "transfer"];
  const PLACES = ["--link", "--p-processing", "--p-tls", "--p-resolve", "--p-transfer", "--part", "--work", "--muted"];
  const HEIGHT = 180;
  const drawn = new Map(); // by name of the plot: { plot, count }
  let happenings = [];
  let askedAt = 0;
  let pause = 15e3; // a bin that lasts an hour looks the same a quarter of a minute later

  // --- words

  const form = (options) => new Intl.DateTimeFormat(language, { timeZone: zone, hourCycle: "h23", ...options });
  const clock = form({ hour: "2-digit", minute: "2-digit" });
  const day = form({ day: "numeric", month: "short" });
  const moment = form({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 3, roundingMode: "floor" });
  const number = (value) => value.toLocaleString(language, { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 });
  const ms = (value) => `${number(value)}\u00a0ms`;
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const seconds = (told) => Date.parse(told) / 1000;

  // --- what each plot shows: its columns, what they are called, how they are drawn

  const line = (name, label, column, more = {}) => ({ name, label, column, told: ms, stroke: name, width: 1.5, ...more });

  const PLOTS = {
    latency: (told) => ({
      unit: ms,
      columns: [
        line("--p-connect", words.p50, told.p50_ms, { width: 2 }),
        line("--p-processing", words.p95, told.p95_ms),
        line("--part", words.p99, told.p99_ms, { dash: [4, 3] }),
      ],
    }),
    phases: (told) => {
      let below = null;
      const columns = PHASES.map((name) => {
        const own = told.phases_ms[name];
        below = own.map((value, n) => (value === null ? null : value + (below ? below[n] : 0)));
        return { label: words[name], column: below, shown: own, told: ms, stroke: `--p-${name}`, fill: true, width: 1 };
      });
      return { unit: ms, columns: columns.reverse() }; // the highest first, so that the lower ones are drawn over it
    },
    runs: (told) => {
      const bars = { paths: uPlot.paths.bars({ align: 1, size: [0.9, 60] }), fill: true, told: number, width: 0 };
      const passed = told.runs.map((runs, n) => (runs === null ? null : runs - told.failed[n] - told.slow[n]));
      const bad = told.failed.map((failed, n) => (failed === null ? null : failed + told.slow[n]));
      return {
        unit: number,
        columns: [
          { ...bars, label: words.passed, column: told.runs, shown: passed, stroke: "--bar-none" },
          { ...bars, label: words.slow, column: bad, shown: told.slow, stroke: "--bar-slow" },
          { ...bars, label: words.failed, column: told.failed, stroke: "--bar-down" },
        ],
      };
    },
    availability: (told) => ({
      unit: share.format,
      range: (low) => [Math.min(0.99, low === null ? 1 : low - (1 - low) * 0.1), 1],
      columns: [
        line("--ok", words.availability, told.ratio, {
          told: share.format, width: 2, paths: uPlot.paths.stepped({ align: 1 }),
        }),
      ],
    }),
    places: (told) => ({
      unit: ms,
      columns: told.locations.flatMap((one, n) => {
        const name = words[`at:${one.id}`] || one.id;
        const stroke = PLACES[n % PLACES.length];
        return [
          line(stroke, `${name} · ${words.p50}`, one.p50_ms, { width: 2 }),
          line(stroke, `${name} · ${words.p95}`, one.p95_ms, { dash: [4, 3] }),
        ];
      }),
    }),
  };

  // --- drawing

  // Incidents and planned work as bands behind the lines, changes of version as dashed lines.
  function bands(plot) {
    const { ctx, bbox } = plot;
    const at = (time) => Math.min(Math.max(plot.valToPos(time, "x", true), bbox.left), bbox.left + bbox.width);
    ctx.save();
    for (const one of happenings) {
      const left = at(one.since);
      ctx.fillStyle = ctx.strokeStyle = color(one.kind === "incident" ? "--down" : one.kind === "version" ? "--muted" : "--work");
      if (one.kind === "version") {
        if (one.since < plot.scales.x.min || one.since > plot.scales.x.max) continue;
        ctx.setLineDash([6, 4]);
        ctx.beginPath();
        ctx.moveTo(left, bbox.top);
        ctx.lineTo(left, bbox.top + bbox.height);
        ctx.stroke();
        continue;
      }
      const width = at(one.until) - left;
      if (one.until < plot.scales.x.min || one.since > plot.scales.x.max) continue;
      ctx.globalAlpha = 0.16;
      ctx.fillRect(left, bbox.top, Math.max(width, 2), bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillRect(left, bbox.top, Math.max(width, 2), 3); // so that a short one is seen as well
    }
    ctx.restore();
  }

  function options(box, shape, told) {
    const end = () => Math.max(seconds(told.until), told.last + told.step); // the last bin is drawn whole
    const whole = (plot, low, high) => (low <= told.first && high >= told.last ? [told.first, end()] : [low, high]);
    const axis = { stroke: () => color("--muted"), grid: { stroke: () => color("--line"), width: 1 }, ticks: { show: false } };
    return {
      width: Math.max(box.clientWidth, 200),
      height: HEIGHT,
      tzDate: (time) => uPlot.tzDate(new Date(time * 1e3), zone),
      cursor: { sync: { key: "module" }, drag: { x: true, y: false } },
      scales: { x: { range: whole }, y: { range: (plot, low, high) => (shape.range ? shape.range(low) : [0, (high || 1) * 1.08]) } },
      axes: [
        { ...axis, size: 30, space: 70, values: (plot, splits, _, space, step) => splits.map((time) => axisTime(time, step)) },
        { ...axis, size: 68, space: 36, values: (plot, splits) => splits.map(shape.unit) },
      ],
      series: [
        { label: words.time, value: (plot, time) => moment.format((time ?? plot.data[0][told.newest]) * 1e3) },
        ...shape.columns.map((one) => ({
          label: one.label,
          stroke: () => color(one.stroke),
          fill: one.fill ? () => color(one.stroke) : undefined,
          width: one.width,
          dash: one.dash,
          paths: one.paths,
          points: { size: 5, show: one.fill ? false : undefined },
          // Where nothing is pointed at, the newest figure stands in the legend.
          value: (plot, _, column, index) => {
            const { shown, told: say } = plot.shape.columns[column - 1];
            const value = (shown || plot.data[column])[index ?? told.newest];
            return value === null || value === undefined ? "–" : say(value);
          },
        })),
      ],
      hooks: { drawClear: [bands] },
    };
  }

  function axisTime(time, step) {
    const date = new Date(time * 1e3);
    return step >= 86400 || clock.format(date) === "00:00" ? day.format(date) : clock.format(date);
  }

  function draw(figure, told) {
    const name = figure.dataset.plot;
    const shape = PLOTS[name](told);
    const data = [told.times.map(seconds), ...shape.columns.map((one) => one.column)];
    const known = data[0].map((_, n) => shape.columns.some((one) => one.column[n] !== null)).lastIndexOf(true);
    const newest = known < 0 ? data[0].length - 1 : known;
    const facts = { newest, until: told.until, step: told.step_seconds, first: data[0][0], last: data[0].at(-1) };
    const before = drawn.get(name);
    if (before && before.plot.series.length === data.length) refresh(before, shape, data, facts);
    else begin(figure, shape, data, facts);
    figure.dataset.drawn = told.until;
  }

  // The same plot with new figures: whoever has zoomed in, or points at something, goes on doing so.
  function refresh(before, shape, data, facts) {
    const { plot } = before;
    const { min, max } = plot.scales.x;
    const zoomed = min > before.facts.first || max < before.facts.last;
    Object.assign(before.facts, facts);
    plot.shape = shape;
    plot.batch(() => {
      plot.setData(data, false);
      plot.setScale("x", zoomed ? { min, max } : { min: facts.first, max: facts.last });
    });
    plot.setLegend({ idx: plot.cursor.idx ?? null });
  }

  function begin(figure, shape, data, facts) {
    const box = figure.querySelector(".canvas");
    if (drawn.has(figure.dataset.plot)) drawn.get(figure.dataset.plot).plot.destroy();
    const made = options(box, shape, facts);
    const plot = new uPlot({ ...made, hooks: { ...made.hooks, init: [(self) => { self.shape = shape; }] } }, data, box);
    drawn.set(figure.dataset.plot, { plot, facts, figure, box });
    reach(box, plot);
  }

  // A finger and the keyboard point like a mouse.
  function reach(box, plot) {
    plot.over.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch") plot.setCursor({ left: event.offsetX, top: event.offsetY });
    });
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", box.dataset.name);
    box.onkeydown = (event) => {
      const last = plot.data[0].length - 1;
      const now = plot.cursor.idx ?? last;
      const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
      if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const index = Math.min(Math.max(next, 0), last);
      plot.setCursor({ left: plot.valToPos(plot.data[0][index], "x"), top: HEIGHT / 3 });
    };
  }

  // --- asking

  async function answer(what) {
    const found = await fetch(`${api}${what}?${query}`, { cache: "no-store" });
    if (!found.ok) throw new Error(found.status);
    return found.json();
  }

  async function ask() {
    askedAt = Date.now();
    let series, availability;
    try {
      [series, availability] = await Promise.all([answer("series"), answer("availability")]);
    } catch {
      return; // the page tells that the line is broken; what is drawn stands
    }
    happenings = series.happenings.map((one) => ({
      kind: one.kind, since: seconds(one.since), until: seconds(one.until || series.until),
    }));
    pause = Math.max(15e3, series.step_seconds * 100);
    for (const figure of root.querySelectorAll("[data-plot]"))
      draw(figure, figure.dataset.plot === "availability" ? availability : series);
  }

  function again() {
    for (const { plot } of drawn.values()) plot.destroy();
    drawn.clear();
    ask();
  }

  document.addEventListener("shown", () => { if (Date.now() - askedAt >= pause) ask(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new ResizeObserver(() => {
    for (const { plot, box } of drawn.values())
      if (box.clientWidth && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: HEIGHT });
  }).observe(root);
  ask();
})();
