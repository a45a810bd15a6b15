"use strict";
// Axes for the plots: scales, ticks and a frame, at the width that there is, so that text keeps its size.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { svg } = A.make;

  function steps(low, high, about) {
    const rough = (high - low) / about;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((one) => one * power >= rough);
    const made = [];
    for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) made.push(at === 0 ? 0 : at * step);
    return made;
  }

  function decades(low, high, about) {
    const made = [];
    const wide = Math.log10(high / low);
    if (wide < 0.7) return steps(low, high, about);
    const each = wide > about ? [1] : wide > about / 2.5 ? [1, 3] : [1, 2, 5];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const one of each) {
        const tick = one * 10 ** power;
        if (tick >= low * 0.999 && tick <= high * 1.001) made.push(tick);
      }
    }
    return made.length > 1 ? made : steps(low, high, about);
  }

  // One axis over these values: logarithmic where all are positive and far apart and nothing bounds them.
  function axis(values, { log, bounds, room = 0.06 }) {
    let low = values.reduce((a, b) => Math.min(a, b), Infinity);
    let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!values.length) [low, high] = [0, 1];
    const logged = log && low > 0;
    const on = logged ? Math.log : Number;
    const off = logged ? Math.exp : Number;
    let [from, to] = [on(low), on(high)];
    if (from === to) [from, to] = [from - (logged ? 0.7 : Math.abs(from) || 1), to + (logged ? 0.7 : Math.abs(to) || 1)];
    const margin = room * (to - from);
    [from, to] = [from - margin, to + margin];
    if (bounds && !logged) [from, to] = [Math.max(from, bounds[0]), Math.min(to, bounds[1])];
    if (!(to > from)) to = from + 1;
    const at = (value) => Math.min(1, Math.max(0, (on(value) - from) / (to - from)));
    const ticks = (about) => (logged ? decades : steps)(off(from), off(to), about);
    return { at, ticks, log: logged };
  }

  // A frame with grid, ticks and names; X and Y turn values into places.
  function frame({ width, height, x, y, says }) {
    const left = 52;
    const right = width - 14;
    const top = 26;
    const bottom = height - 46;
    const X = (value) => left + x.axis.at(value) * (right - left);
    const Y = (value) => bottom - y.axis.at(value) * (bottom - top);
    const root = svg("svg", { class: "plot", width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": says });
    const grid = svg("g", { class: "grid", "aria-hidden": "true" });
    for (const tick of y.axis.ticks(6)) {
      grid.append(svg("path", { d: `M${left} ${Y(tick).toFixed(1)}H${right}` }), svg("text", { x: left - 8, y: Y(tick) + 4, "text-anchor": "end" }, y.write(tick)));
    }
    for (const tick of x.axis.ticks(Math.max(3, Math.round(width / 130)))) {
      grid.append(svg("path", { d: `M${X(tick).toFixed(1)} ${top}V${bottom}` }), svg("text", { x: X(tick), y: bottom + 18, "text-anchor": "middle" }, x.write(tick)));
    }
    grid.append(
      svg("path", { class: "base", d: `M${left} ${bottom}H${right}` }),
      svg("text", { class: "name", x: right, y: bottom + 38, "text-anchor": "end" }, `${x.name}${x.axis.log ? ", log scale" : ""} \u2192`),
    );
    root.append(grid);
    return { root, X, Y, left, right, top, bottom };
  }

  // Draw into a box at its width, and again when the width changes.
  function fitted(box, draw) {
    let last = 0;
    const again = () => {
      const width = Math.round(box.clientWidth);
      if (!width || width === last) return;
      last = width;
      box.replaceChildren(draw(width));
    };
    new ResizeObserver(again).observe(box);
    requestAnimationFrame(again);
    return box;
  }

  A.chart = { axis, frame, fitted };
})();
