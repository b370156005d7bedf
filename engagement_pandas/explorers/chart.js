// The chart is matplotlib's SVG. This module reads values under the pointer, sends the kernel the
// part of the x axis to redraw, and dims all lines but those picked in the legend. Places are in
// the SVG's own units; on the page they are percentages of its size.
const element = (tag, className, parent) => {
  const made = document.createElement(tag);
  made.className = className;
  parent?.append(made);
  return made;
};
const lineOf = (gid) => gid.split(":").pop();
const numbers = (Type, view) => new Type(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));

// The formats of values, as in chart_marks.py.
const number = (value, options) => value.toLocaleString("en-US", { roundingMode: "halfEven", ...options });
export const FORMATS = {
  "": (text) => text,
  count: (value) => number(value, { minimumFractionDigits: Number.isInteger(value) ? 0 : 2, maximumFractionDigits: 2 }),
  percent: (rate) => `${number(100 * rate, { maximumSignificantDigits: 3 })} %`.replace("-", "\u2212"),
};

// All marks in a flat list: { gid, name, at, value, box, format }, in the order of the lines.
const unpack = ({ series = [], at = [] }) => series.flatMap(({ gid, name, boxes, at: places, values, format }) => {
  const corners = numbers(Float32Array, boxes);
  const indices = numbers(Uint32Array, places);
  return Array.from(format ? numbers(Float64Array, values) : values.split("\n"), (value, i) =>
    ({ gid, name, at: at[indices[i]], value, format, box: corners.subarray(4 * i, 4 * i + 4) }));
});
const distance = ([left, top, right, bottom], x, y) =>
  Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
const least = (marks, measure) => marks.reduce(
  (best, mark) => { const m = measure(mark); return m < best.m ? { m, mark } : best; }, { m: Infinity }).mark;

export default {
  render({ model, el }) {
    const root = element("div", "engagement-region engagement-chart", el);
    const headline = element("div", "engagement-headline", root);
    const paper = element("div", "engagement-paper", root);
    const image = element("div", "engagement-region", paper);
    const over = element("div", "engagement-over", paper);
    const band = element("div", "engagement-band", over);
    const dot = element("div", "engagement-dot", over);
    const tip = element("div", "engagement-tip", over);
    const back = element("button", "engagement-back", over);
    const legend = element("div", "engagement-legend", root);
    const hint = element("div", "engagement-hint", root);
    image.setAttribute("role", "img");
    image.tabIndex = 0;
    hint.hidden = true;
    tip.setAttribute("aria-live", "polite");
    back.textContent = "Zoom out";
    back.type = "button";
    hint.textContent = "Drag across the chart to zoom in, double-click to zoom out. " +
      "A click on a name in the legend picks out its line.";

    let all = [];
    let current = null;
    const picked = new Set();
    const data = () => model.get("marks");
    const shown = () => (picked.size ? all.filter(({ gid }) => picked.has(lineOf(gid))) : all);
    const place = (node, [left, top, right, bottom]) => {
      const [width, height] = data().size;
      Object.assign(node.style, {
        left: `${(100 * left) / width}%`, width: `${(100 * (right - left)) / width}%`,
        top: `${(100 * top) / height}%`, height: `${(100 * (bottom - top)) / height}%`,
      });
    };

    const read = (mark) => {
      current = mark;
      tip.hidden = dot.hidden = !mark;
      if (!mark) return;
      const [left, top, right, bottom] = mark.box;
      const [width, height] = data().size;
      place(dot, mark.box);
      tip.replaceChildren(...[FORMATS[mark.format](mark.value), mark.at, mark.name].filter(Boolean).map((text) => {
        const line = element("div");
        line.textContent = text;
        return line;
      }));
      // On the side that has more room in the part of the chart that is in sight.
      const middle = ((root.scrollLeft + root.clientWidth / 2) / paper.clientWidth) * width;
      tip.dataset.x = right > middle ? "left" : "right";
      tip.dataset.y = top > height / 2 ? "above" : "below";
      tip.style.maxWidth = `${0.45 * root.clientWidth}px`;
      tip.style.left = `${(100 * (right > middle && right - left < width / 8 ? left : right)) / width}%`;
      tip.style.top = `${(50 * (top + bottom)) / height}%`;
    };
    const point = ({ clientX, clientY }) => {
      const page = image.getBoundingClientRect();
      const [width, height] = data().size;
      return [((clientX - page.left) / page.width) * width, ((clientY - page.top) / page.height) * height];
    };

    const pick = () => {
      for (const group of image.querySelectorAll("[data-gid]"))
        group.style.opacity = picked.size && !picked.has(lineOf(group.dataset.gid)) ? 0.15 : "";
      for (const button of legend.querySelectorAll("button")) button.ariaPressed = `${picked.has(button.value)}`;
      read(null);
    };
    const fillHeader = () => {
      const { headline: words = "", legend: entries = [] } = model.get("header");
      headline.textContent = words;
      for (const gid of picked) if (!entries.some((entry) => entry.gid === gid)) picked.delete(gid);
      legend.replaceChildren(...entries.map(({ gid, name, swatch }) => {
        const entry = element(gid ? "button" : "span", "engagement-entry");
        entry.innerHTML = swatch;
        entry.append(name);
        if (gid) {
          Object.assign(entry, { type: "button", value: gid, ariaLabel: `Pick out ${name}` });
          entry.onclick = () => { picked.delete(gid) || picked.add(gid); pick(); };
        }
        return entry;
      }));
      pick();
    };

    const zoom = (limits) => {
      model.set("zoom", limits);
      model.save_changes();
    };
    let start = null;
    const inside = ([x, y]) => {
      const [left, top, right, bottom] = data().frame ?? [0, 0, 0, 0];
      return left <= x && x <= right && top <= y && y <= bottom;
    };
    const between = (x) => {
      const [left, , right] = data().frame;
      return [start, Math.min(Math.max(x, left), right)].sort((a, b) => a - b);
    };
    image.onpointerdown = (event) => {
      if (event.button || !data().limits?.length || !inside(point(event))) return;
      [start] = point(event);
      image.setPointerCapture(event.pointerId);
    };
    // A browser repeats the event of a pointer at rest when the page moves below it, which must not
    // replace what the arrow keys show.
    let resting = "";
    image.onpointermove = (event) => {
      const here = `${event.clientX} ${event.clientY}`;
      if (!all.length || here === resting) return;
      resting = here;
      const [x, y] = point(event);
      if (start === null) { read(inside([x, y]) ? least(shown(), ({ box }) => distance(box, x, y)) : null); return; }
      const [left, right] = between(x);
      read(null);
      band.hidden = false;
      place(band, [left, data().frame[1], right, data().frame[3]]);
    };
    image.onpointerup = (event) => {
      if (start === null) return;
      const [left, right] = between(point(event)[0]);
      const { frame, limits } = data();
      start = null;
      band.hidden = true;
      if (right - left < 5) return;
      zoom([left, right].map((x) => limits[0] + ((x - frame[0]) / (frame[2] - frame[0])) * (limits[1] - limits[0])));
    };
    image.onpointercancel = () => { start = null; band.hidden = true; };
    image.onpointerleave = () => { resting = ""; if (start === null) read(null); };
    image.onblur = () => read(null);
    image.ondblclick = back.onclick = () => { if (model.get("zoom").length) zoom([]); };

    // Left and right move along a line, up and down to the nearest mark of another one.
    const step = (key) => {
      const marks = shown();
      if (!current) return marks[0];
      const way = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
      const alone = new Set(marks.map(({ gid }) => gid)).size === marks.length;
      if (alone || key === "ArrowLeft" || key === "ArrowRight") {
        const same = alone ? marks : marks.filter(({ gid }) => gid === current.gid);
        return same[same.indexOf(current) + way] ?? current;
      }
      const gids = [...new Set(marks.map(({ gid }) => gid))];
      const next = gids[gids.indexOf(current.gid) + way];
      return least(marks.filter(({ gid }) => gid === next), ({ box }) => Math.abs(box[0] - current.box[0])) ?? current;
    };
    image.onkeydown = (event) => {
      if (event.key === "Escape") { read(null); image.ondblclick(); }
      if (!event.key.startsWith("Arrow") || !all.length || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      read(step(event.key));
    };

    const fill = () => { image.innerHTML = model.get("html"); pick(); };
    const update = () => {
      image.setAttribute("aria-label", model.get("label"));
      if (model.get("busy")) image.setAttribute("aria-busy", "true");
      else image.removeAttribute("aria-busy");
      image.toggleAttribute("data-stale", model.get("stale"));
      back.hidden = !model.get("zoom").length;
    };
    const unpackAll = () => {
      all = unpack(data());
      resting = "";
      band.hidden = true;
      // Without a zoom it keeps its place, so that the page does not jump, if there ever was one.
      const zoomable = data().limits?.length > 0;
      hint.hidden &&= !zoomable;
      hint.style.visibility = zoomable ? "" : "hidden";
      pick();
    };
    update();
    fill();
    fillHeader();
    unpackAll();
    model.on("change:html", fill);
    model.on("change:header", fillHeader);
    model.on("change:marks", unpackAll);
    for (const name of ["label", "busy", "stale", "zoom"]) model.on(`change:${name}`, update);
  },
};
