"use strict";
// Numbers as text, one shape for a whole column, and the difference of two of them.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const finite = (value) => typeof value === "number" && Number.isFinite(value);
  const MINUS = "\u2212";

  const significant = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
  const three = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

  function middle(values) {
    const sorted = values.filter(finite).map(Math.abs).sort((a, b) => a - b);
    return sorted.length ? sorted[Math.floor(sorted.length / 2)] : 0;
  }

  // What a unit becomes: a factor, and how it is said before or after the number.
  function unitOf(unit, values) {
    const usual = middle(values);
    switch (unit) {
      case "share":
        return { times: 100, after: "%", apart: "points" };
      case "points": // of 100
        return { times: 1, after: "points" };
      case "s":
        return usual < 1e-3 ? { times: 1e6, after: "\u00b5s" } : usual < 1 ? { times: 1000, after: "ms" } : { times: 1, after: "s" };
      case "bytes":
        return usual < 1e9 ? { times: 1e-6, after: "MB" } : { times: 1e-9, after: "GB" };
      case "usd":
        return usual > 0 && usual < 1e-3 ? { times: 1e6, after: "10\u207b\u2076 $" } : { times: 1, before: "$" };
      case "rate":
        return { times: 1, after: "per s" };
      case "count":
      case "":
      case null:
      case undefined:
        return { times: 1 };
      default:
        return { times: 1, after: String(unit) };
    }
  }

  // A shape writes every number of one column in one unit, and lays it on one scale.
  function shape(column, cells) {
    const ends = cells.flatMap((cell) => [cell.value, cell.low, cell.high]).filter(finite);
    const unit = unitOf(column.unit, cells.map((cell) => cell.value));
    const bounded = Array.isArray(column.bounds) && column.bounds.length === 2 && column.bounds.every(finite);
    let low = bounded ? column.bounds[0] : ends.reduce((a, b) => Math.min(a, b), Infinity);
    let high = bounded ? column.bounds[1] : ends.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!ends.length) [low, high] = [0, 1];
    if (low === high) [low, high] = low === 0 ? [0, 1] : low > 0 ? [0, 2 * low] : [2 * low, 0];
    const log = !bounded && low > 0 && high / low > 30;
    const on = log ? Math.log : Number;
    const at = (value) => Math.min(1, Math.max(0, (on(value) - on(low)) / (on(high) - on(low))));
    const percent = column.unit === "share" || column.unit === "points";
    const fine = percent ? tenth : column.unit === "count" ? significant : three;
    const bare = (value) => {
      const scaled = value * unit.times;
      const text = (!percent && Math.abs(scaled) >= 100 ? whole : scaled === 0 && !percent ? whole : fine).format(scaled);
      return text.replace("-", MINUS).replace(/^\u2212(0(\.0+)?)$/, "$1");
    };
    const named = (value, after) => `${unit.before || ""}${bare(value)}${after ? `\u202f${after}` : ""}`;
    const signed = (value) => (value > 0 ? `+${bare(value)}` : bare(value));
    return {
      log,
      low,
      high,
      at,
      bare,
      tick: (value) => significant.format(value * unit.times).replace("-", MINUS),
      signed,
      full: (value) => named(value, unit.after),
      unit: unit.before || unit.after || "",
      apart: unit.apart || unit.after || unit.before || "",
    };
  }

  // The interval of a cell, without its unit; one end may be missing.
  function interval(cell, shaped) {
    if (finite(cell.low) && finite(cell.high)) return `[${shaped.bare(cell.low)}, ${shaped.bare(cell.high)}]`;
    if (finite(cell.low)) return `at least ${shaped.bare(cell.low)}`;
    if (finite(cell.high)) return `at most ${shaped.bare(cell.high)}`;
    const method = A.data.text(cell.method);
    if (/^census/.test(method)) return "census";
    return /^bytes of/.test(method) ? "counted" : "no interval";
  }

  function confidence(cell) {
    if (!finite(cell.confidence)) return "";
    return `${significant.format(100 * cell.confidence)}\u202f%${cell.sides === 1 ? ", one-sided" : ""}`;
  }

  // The difference of two numbers measured apart: MOVER (Zou and Donner 2008), which takes each arm's own
  // interval.  Conservative where the two were asked the same samples.  Null where an end is missing.
  function mover(a, b) {
    const ends = [a.value, a.low, a.high, b.value, b.low, b.high];
    if (!ends.every(finite) || a.sides === 1 || b.sides === 1 || a.confidence !== b.confidence) return null;
    const value = a.value - b.value;
    return {
      value,
      low: value - Math.hypot(a.value - a.low, b.high - b.value),
      high: value + Math.hypot(a.high - a.value, b.value - b.low),
      how: "unpaired",
    };
  }

  // 134515008 is 135M.  A number that a reader writes, `1.5B`, is read back.
  function parameters(count) {
    if (!finite(count)) return "";
    if (count >= 9.995e8) return `${significant.format(count / 1e9)}B`;
    if (count >= 999500) return `${significant.format(count / 1e6)}M`;
    return count >= 1e3 ? `${significant.format(count / 1e3)}K` : whole.format(count);
  }

  function readParameters(text) {
    const found = /^\s*(\d+(?:\.\d+)?)\s*([KMB]?)\s*$/i.exec(text);
    return found ? Number(found[1]) * { "": 1, K: 1e3, M: 1e6, B: 1e9 }[found[2].toUpperCase()] : null;
  }

  A.numbers = { finite, shape, interval, confidence, mover, parameters, readParameters, whole, MINUS };
})();
