"use strict";
// Elements are made here.  Whatever comes from a board goes in as a text node, or as the value of an
// attribute that cannot run anything; addresses only after `repository`, `elsewhere` or `picture`.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const SVG = "http://www.w3.org/2000/svg";

  function fill(node, attributes, parts) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (typeof value === "function") node.addEventListener(name, value);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    for (const part of parts.flat(Infinity)) {
      if (part === null || part === undefined || part === false || part === "") continue;
      node.append(part instanceof Node ? part : String(part));
    }
    return node;
  }

  const el = (tag, attributes, ...parts) => fill(document.createElement(tag), attributes, parts);
  const svg = (tag, attributes, ...parts) => fill(document.createElementNS(SVG, tag), attributes, parts);

  function outward(address, text) {
    return el("a", { href: address, rel: "noopener noreferrer external" }, text);
  }

  // `owner/name` of the Hugging Face hub, and nothing else, becomes a link.
  function repository(name) {
    if (typeof name !== "string") return null;
    const sound = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/.test(name);
    return sound ? outward(`https://huggingface.co/${name}`, name) : el("span", {}, name);
  }

  // An https address becomes a link; any other stays text.
  function elsewhere(address, text) {
    let parsed = null;
    try {
      parsed = new URL(String(address));
    } catch {
      return el("span", {}, text);
    }
    return parsed.protocol === "https:" && !parsed.username ? outward(parsed.href, text) : el("span", {}, text);
  }

  function picture(path, says) {
    return /^badges\/[\w.-]{1,200}\.svg$/.test(path) ? el("img", { src: path, alt: says, height: 20, loading: "lazy" }) : null;
  }

  const code = (text) => el("code", {}, text);
  const hidden = (text) => el("span", { class: "unseen" }, text);

  // A list of [term, what] pairs; what is null leaves its term out.
  function facts(pairs, name) {
    const rows = pairs.filter(([, what]) => what !== null && what !== undefined && what !== "");
    return el("dl", { class: name || "facts" }, rows.map(([term, what]) => el("div", {}, el("dt", {}, term), el("dd", {}, what))));
  }

  // A region that scrolls sideways can be reached with the keyboard.
  function wide(label, table, name) {
    return el("div", { class: `wide ${name || ""}`.trim(), role: "region", "aria-label": label, tabindex: 0 }, table);
  }

  A.make = { el, svg, repository, elsewhere, picture, code, hidden, facts, wide };
})();
