"use strict";
// The page's behaviour. Without it the report is whole: text, tables, and a drawing in place of every chart.
// Text from logs is only ever set as text; nothing here makes markup out of a string.
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Theme: the system's, until the reader chooses.
  const toggle = document.getElementById("theme");
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
  const label = () => { toggle.textContent = isDark() ? "Light" : "Dark"; toggle.setAttribute("aria-label", `Switch to the ${isDark() ? "light" : "dark"} theme`); };
  toggle.hidden = false;
  toggle.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
  systemDark.addEventListener("change", label);
  label();

  // The section that is being read, in the list of sections.
  const links = new Map(all(".side nav a").map((a) => [a.getAttribute("href").slice(1), a]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const [id, a] of links) {
        if (id === entry.target.id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
      }
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const section of all("main > section")) seen.observe(section);

  // Tables that sort: numbers by their value, empty cells last, the order as written where cells are equal.
  const value = (cell) => {
    const text = cell.textContent.trim();
    const found = text.replace("≥ ", "").match(/^-?\d+(\.\d+)?(e[+-]?\d+)?/i);
    return text === "" ? null : found ? Number(found[0]) : text.toLowerCase();
  };
  const compare = (a, b) => {
    if (a === null || b === null) return a === b ? 0 : a === null ? 2 : -2;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a < b ? -1 : a > b ? 1 : 0;
  };
  for (const table of all("table.sortable")) {
    const heads = all("thead th", table);
    for (const head of heads) {
      const column = [...head.parentNode.children].indexOf(head);
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].map((row) => [value(row.cells[column]), row]);
        rows.sort(([a], [b]) => { const c = compare(a, b); return Math.abs(c) === 2 ? c : down ? -c : c; });
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    }
  }

  if (!window.vegaEmbed) return;

  // Charts. Every view that knows epochs shows the same range and the same epoch.
  const groups = all("script.group").map((script) => ({ ...JSON.parse(script.textContent), place: document.getElementById(script.dataset.group) }));
  const views = new Map();
  const options = { actions: false, renderer: "svg", ast: true, tooltip: { theme: "custom", anchor: "cursor" } };
  const embed = async ({ id, spec }) => {
    const place = document.querySelector(`[data-chart="${CSS.escape(id)}"]`);
    const drawing = [...place.childNodes];
    try {
      const { view } = await window.vegaEmbed(place, spec, options);
      place.removeAttribute("title");
      views.set(id, view);
    } catch (error) {
      place.replaceChildren(...drawing); // the drawing without script says the same
      console.error(error);
    }
  };
  const near = (epochs, epoch) => epochs.reduce((best, e, i) => (Math.abs(e - epoch) < Math.abs(epochs[best] - epoch) ? i : best), 0);

  const setEpoch = (epoch) => {
    for (const group of groups) {
      if (!group.state || !group.state.epochs) continue;
      const at = near(group.state.epochs, epoch);
      for (const input of all("[data-epoch]", group.place)) {
        input.value = at;
        input.setAttribute("aria-valuetext", `epoch ${group.state.epochs[at]}`);
      }
      for (const output of all("[data-readout]", group.place)) {
        output.textContent = group.state.said[at];
      }
      for (const { id } of group.charts) {
        const view = views.get(id);
        if (!view) continue;
        if (group.controls === "epochs" && id !== "overview") view.signal("at", group.state.epochs[at]).runAsync();
        if (group.controls === "epoch") {
          const truth = group.state.y_true;
          view.data("points", group.state.y_pred[at].map((y_pred, i) => ({ y_true: truth[i], y_pred })));
          view.data("line", group.state.line[at].map((point) => ({ ...point })));
          view.runAsync();
        }
      }
    }
  };

  const epochsOf = (group) => {
    const { epochs } = group.state;
    const [lowest, highest] = [epochs[0], epochs[epochs.length - 1]];
    const panels = group.charts.map(({ id }) => id).filter((id) => id !== "overview" && views.has(id));
    const strip = views.get("overview");
    // The panels that can be dragged over, and where the axis of each is cut while all epochs are shown.
    const cuts = new Map(group.charts.flatMap(({ id, spec }) => spec.params.filter((p) => p.name === "cut").map((p) => [id, p.value])));
    const [from, to] = ["[data-from]", "[data-to]"].map((s) => group.place.querySelector(s));
    let range = [lowest, highest];
    let held = false; // only a hand on the strip chooses; what the script draws there does not

    const showStrip = () => {
      if (!strip) return;
      const x = strip.scale("x");
      const whole = range[0] === lowest && range[1] === highest;
      strip.signal("brush_x", whole ? [0, 0] : range.map((e) => x(e))).runAsync();
    };
    const setRange = (a, b, { strip: moved = true } = {}) => {
      const inside = epochs.filter((e) => e >= Math.min(a, b) && e <= Math.max(a, b));
      if (inside.length < 2) { // a range of one epoch has no course: take its neighbour as well
        const at = Math.min(near(epochs, (a + b) / 2), epochs.length - 2);
        inside.splice(0, inside.length, epochs[at], epochs[at + 1]);
      }
      range = [inside[0], inside[inside.length - 1]];
      const whole = range[0] === lowest && range[1] === highest;
      [from.value, to.value] = range;
      for (const id of panels) {
        const view = views.get(id);
        view.signal("first", range[0]).signal("last", range[1]);
        if (cuts.has(id)) view.signal("cut", whole ? cuts.get(id) : null);
        view.runAsync();
      }
      if (moved) showStrip();
    };
    const state = () => [...range];

    if (strip) {
      const place = document.querySelector('[data-chart="overview"]');
      place.addEventListener("pointerdown", () => { held = true; });
      place.addEventListener("pointercancel", () => { held = false; });
      window.addEventListener("pointerup", () => {
        if (!held) return;
        // The view hears of the last movement after this: let it, then draw the range as it was taken.
        setTimeout(() => { held = false; showStrip(); }, 60);
      });
      strip.addSignalListener("brush", (_, brush) => {
        if (!held) return;
        const [a, b] = brush.epoch || [lowest, highest];
        setRange(a, b, { strip: false });
      });
    }
    for (const id of panels) {
      const view = views.get(id);
      let dragged = null;
      if (cuts.has(id)) {
        view.addSignalListener("brush", (_, brush) => { dragged = brush.epoch || dragged; });
      }
      const place = document.querySelector(`[data-chart="${CSS.escape(id)}"]`);
      let start = null;
      place.addEventListener("pointerdown", (event) => { start = event.clientX; dragged = null; });
      place.addEventListener("pointercancel", () => { start = null; });
      window.addEventListener("pointerup", (event) => {
        if (start === null) return;
        const moved = Math.abs(event.clientX - start);
        start = null;
        if (cuts.has(id)) view.signal("brush_x", [0, 0]).runAsync();
        if (moved > 5 && dragged) { setRange(...dragged); return; }
        const svg = place.querySelector("svg");
        if (moved > 5 || !svg || !place.contains(event.target)) return;
        const x = event.clientX - svg.getBoundingClientRect().left - view.origin()[0] - view.padding().left;
        setEpoch(view.scale("x").invert(x));
      });
    }
    // An end that was typed stays; where it passes the other one, that goes to its end of the log.
    from.addEventListener("change", () => {
      const a = from.value === "" ? lowest : Number(from.value);
      setRange(a, a > range[1] ? highest : range[1]);
    });
    to.addEventListener("change", () => {
      const b = to.value === "" ? highest : Number(to.value);
      setRange(b < range[0] ? lowest : range[0], b);
    });
    for (const input of [from, to]) [input.min, input.max] = [lowest, highest];
    group.place.querySelector("[data-all]").addEventListener("click", () => setRange(lowest, highest));
    let waiting = 0;
    window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(showStrip, 200); });
    setRange(lowest, highest, { strip: false });
    return state;
  };

  const runsOf = (group) => {
    const boxes = all("[data-run]", group.place);
    const update = () => {
      const shown = boxes.filter((box) => box.checked).map((box) => group.keys[Number(box.value)]);
      for (const { id } of group.charts) if (views.has(id)) views.get(id).signal("shown", shown).runAsync();
    };
    for (const box of boxes) { box.disabled = false; box.addEventListener("change", update); }
  };

  const start = async () => {
    for (const group of groups) for (const chart of group.charts) await embed(chart);
    const ranges = [];
    for (const group of groups) {
      if (group.controls === "epochs") ranges.push(epochsOf(group));
      if (group.controls === "runs") runsOf(group);
      for (const part of all(".range, .slider", group.place)) part.hidden = false;
      for (const input of all("[data-epoch]", group.place)) {
        input.addEventListener("input", () => setEpoch(group.state.epochs[Number(input.value)]));
      }
    }
    const first = groups.find((group) => group.state && group.state.epochs);
    if (first) setEpoch(first.state.epochs[first.state.at]);
    window.runreport = { views, range: () => ranges.map((range) => range()) };
    root.dataset.ready = "true";
  };
  start();
})();
