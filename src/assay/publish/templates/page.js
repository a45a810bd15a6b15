"use strict";
// Paper cannot be opened: what is folded is printed.
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details")) {
    fold.removeAttribute("name");
    fold.open = true;
  }
});
// What a mark of a figure says (its <title>) is shown at once, and not after a second.
(() => {
  const tip = document.createElement("p");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  let marked = null;
  function leave() {
    if (!marked) return;
    marked.title.textContent = marked.says;
    marked.mark.classList.remove("pointed");
    marked = null;
    tip.hidden = true;
  }
  addEventListener("pointerover", (event) => {
    const mark = event.target instanceof SVGElement && event.target.closest("figure svg") ? event.target : null;
    if (marked && mark === marked.mark) return;
    leave();
    const title = mark && mark.querySelector(":scope > title");
    if (!title || !title.textContent) return;
    marked = { mark, title, says: title.textContent };
    title.textContent = "";
    mark.classList.add("pointed");
    tip.textContent = marked.says;
    tip.hidden = false;
    const at = mark.getBoundingClientRect();
    const over = at.height > 120 || at.width > 240 ? { x: event.clientX, y: event.clientY } : { x: at.x + at.width / 2, y: at.y };
    const left = Math.max(4, Math.min(innerWidth - tip.offsetWidth - 4, over.x - tip.offsetWidth / 2));
    const above = over.y - tip.offsetHeight - 8;
    tip.style.left = left + scrollX + "px";
    tip.style.top = (above > 4 ? above : over.y + 16) + scrollY + "px";
  });
  addEventListener("scroll", leave, { passive: true });
})();
// The sample browser.  Whatever comes from a plan, a model or a data set goes through textContent.
(() => {
  const PAGE = 20;
  const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const VALUE = Object.fromEntries([...DIGITS].map((digit, value) => [digit, value]));
  const ANSWERED = ["correct", "wrong", "invented", "scored"];
  const RIGHT = ["correct", "declined"];
  const byId = (id) => document.getElementById(id);
  const stored = [...document.querySelectorAll("script.samples")];
  const browser = byId("browser");
  if (!browser || !stored.length) return;

  const read = [];
  const state = { task: 0, system: "", outcome: [], tag: "", text: "", order: "apart", page: 0 };
  const NARROW = ["target", "none", "said", "against", "seed"];
  const narrow = {};
  let found = [];

  function make(tag, name, text) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function digits(text, width) {
    const made = new Uint32Array(text.length / width);
    for (let i = 0; i < made.length; i++) {
      let value = 0;
      for (let j = 0; j < width; j++) value = value * 64 + VALUE[text[i * width + j]];
      made[i] = value;
    }
    return made;
  }

  function open(place) {
    if (read[place]) return read[place];
    const raw = JSON.parse(stored[place].textContent);
    raw.target = digits(raw.target, raw.width);
    raw.none = digits(raw.none, 1);
    for (const system of raw.systems) {
      system.outcome = system.outcome.map((row) => digits(row, 1));
      system.said = digits(system.said, raw.width);
      system.why = digits(system.why, raw.width);
      system.sure = digits(system.sure, 2);
      system.same = digits(system.same, 1);
    }
    raw.codes = Object.fromEntries(raw.outcomes.map((name, i) => [name, i + 1]));
    raw.words = [];
    read[place] = raw;
    return raw;
  }

  const data = () => open(state.task);
  const outcomeOf = (system, i, seed) => data().outcomes[system.outcome[seed || 0][i] - 1] || "";
  const named = (name) => data().systems.find((system) => system.name === name);

  function words(i) {
    const d = data();
    if (d.words[i] === undefined) {
      const said = d.systems.map((system) => d.texts[system.said[i]] + " " + d.texts[system.why[i]]);
      d.words[i] = [d.id[i], d.input[i], d.texts[d.target[i]], ...said].join("\n").toLowerCase();
    }
    return d.words[i];
  }

  function repliesOf(system, i, codes) {
    const rows = narrow.seed ? system.outcome.slice(0, 1) : system.outcome;
    return rows.reduce((n, row) => n + codes.has(row[i]), 0);
  }

  function search() {
    const d = data();
    const one = named(state.system);
    const other = named(narrow.against);
    const codes = new Set(state.outcome.map((name) => d.codes[name]));
    const asked = one ? [one] : d.systems.filter((system) => !system.control);
    const text = state.text.trim().toLowerCase();
    const tag = d.tags.indexOf(state.tag);
    found = [];
    for (let i = 0; i < d.id.length; i++) {
      if (one && !one.outcome[0][i]) continue;
      if (codes.size && !asked.some((system) => repliesOf(system, i, codes))) continue;
      if (tag >= 0 && !d.tagged[i].includes(tag)) continue;
      if (narrow.none && !d.none[i]) continue;
      if (narrow.target !== undefined && (d.none[i] || d.texts[d.target[i]] !== narrow.target)) continue;
      if (narrow.said !== undefined && one) {
        const answered = ANSWERED.includes(outcomeOf(one, i));
        if (!answered || d.texts[one.said[i]] !== narrow.said) continue;
      }
      if (one && other) {
        const same = RIGHT.includes(outcomeOf(one, i)) === RIGHT.includes(outcomeOf(other, i));
        if (same || !other.outcome[0][i]) continue;
      }
      if (text && !words(i).includes(text)) continue;
      found.push(i);
    }
    if (state.order === "id") found.sort((a, b) => (d.id[a] < d.id[b] ? -1 : d.id[a] > d.id[b] ? 1 : 0));
    if (state.order === "sure") {
      const surest = (i) => Math.max(...asked.map((system) => system.sure[i]));
      const sure = new Map(found.map((i) => [i, surest(i)]));
      found.sort((a, b) => sure.get(b) - sure.get(a));
    }
  }

  function describe() {
    const d = data();
    const one = named(state.system);
    const count = (n, word) => n.toLocaleString("en") + " " + word + (n === 1 ? "" : "s");
    let says = count(found.length, "sample") + " of " + d.total.toLocaleString("en");
    if (one && state.outcome.length) {
      const codes = new Set(state.outcome.map((name) => d.codes[name]));
      const replies = found.reduce((n, i) => n + repliesOf(one, i, codes), 0);
      const seeds = narrow.seed ? 1 : one.seeds.length;
      const joined = replies === 1 ? " reply of " : " replies of ";
      says += ": " + replies.toLocaleString("en") + joined + one.name + " over " + count(seeds, "seed");
    }
    if (d.id.length < d.total) {
      says += ". This page has room for " + count(d.id.length, "sample") + ", those on which systems disagree first; `assay samples RUN` pages through all of them";
    }
    return says + ".";
  }

  function answer(system, i) {
    const d = data();
    const outcome = outcomeOf(system, i);
    const box = make("div", "answer " + outcome + (system.control ? " control" : ""));
    if (system.name === state.system || system.name === narrow.against) box.classList.add("asked");
    const who = make("div", "who");
    who.append(make("b", "", system.name), make("span", "", outcome || "not asked"));
    box.append(who);
    if (!outcome) return box;
    const said = d.texts[system.said[i]];
    const why = d.texts[system.why[i]];
    if (ANSWERED.includes(outcome)) {
      box.append(make("code", "said", said));
    } else {
      box.append(make("span", "said not", why || outcome));
    }
    const more = [];
    if (!ANSWERED.includes(outcome) && said) more.push("would have said " + said);
    if (system.sure[i]) more.push("sure " + ((system.sure[i] - 1) / 1000).toFixed(2));
    if (system.seeds.length > 1) {
      more.push(system.same[i] + " of " + system.seeds.length + " seeds say this");
    }
    const others = {};
    system.outcome.forEach((_, seed) => {
      const name = outcomeOf(system, i, seed);
      if (name && name !== outcome) others[name] = (others[name] || 0) + 1;
    });
    for (const [name, n] of Object.entries(others)) more.push(name + " under " + n + (n === 1 ? " seed" : " seeds"));
    box.append(make("div", "more", more.join(" · ")));
    const excerpt = system.excerpts[i];
    if (excerpt) {
      const fold = make("details");
      fold.append(make("summary", "", "evidence"), make("pre", "", excerpt));
      box.append(fold);
    }
    return box;
  }

  function sample(i) {
    const d = data();
    const item = make("li", "sample");
    const ask = make("div", "ask");
    const input = make("p", d.input[i].includes("\n") ? "input code" : "input", d.input[i]);
    input.dir = "auto";
    const about = make("p", "about");
    const tags = d.tagged[i].map((tag) => d.tags[tag]).join(", ");
    about.append("wanted ", make("b", "", d.texts[d.target[i]]), " · ", make("code", "", d.id[i]));
    if (tags) about.append(" · " + tags);
    ask.append(input, about);
    const answers = make("div", "answers");
    answers.append(...d.systems.map((system) => answer(system, i)));
    item.append(ask, answers);
    return item;
  }

  function show() {
    const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
    state.page = Math.min(state.page, last);
    const from = state.page * PAGE;
    const here = found.slice(from, from + PAGE);
    const nothing = make("li", "none-found", "No sample fits these filters.");
    byId("list").replaceChildren(...(here.length ? here.map(sample) : [nothing]));
    byId("found").textContent = describe();
    byId("where").textContent = here.length ? from + 1 + " to " + (from + here.length) + " of " + found.length : "";
    byId("earlier").disabled = state.page === 0;
    byId("later").disabled = state.page >= last;
  }

  function options(select, names, chosen, any) {
    const made = names.map((name) => new Option(name, name, false, name === chosen));
    select.replaceChildren(...(any ? [new Option(any, "", false, !chosen)] : []), ...made);
  }

  function chips() {
    const says = {
      target: (value) => "wanted: " + value,
      none: () => "has no answer",
      said: (value) => "said: " + value,
      against: (value) => "differs from " + value,
      seed: () => "first seed only",
    };
    const made = NARROW.filter((name) => narrow[name] !== undefined).map((name) => {
      const chip = make("button", "", says[name](narrow[name]) + " \u2715");
      chip.type = "button";
      chip.setAttribute("aria-label", "Remove filter: " + says[name](narrow[name]));
      chip.addEventListener("click", () => {
        delete narrow[name];
        change();
      });
      return chip;
    });
    byId("f-chips").replaceChildren(...made);
  }

  function controls() {
    const d = data();
    byId("task-filter").hidden = stored.length < 2;
    const tasks = stored.map((_, place) => new Option(open(place).task, place, false, place === state.task));
    byId("f-task").replaceChildren(...tasks);
    options(byId("f-system"), d.systems.map((system) => system.name), state.system, "any under test");
    options(byId("f-tag"), d.tags, state.tag, d.tags.length ? "any" : "none");
    byId("f-order").value = state.order;
    if (byId("f-text").value !== state.text) byId("f-text").value = state.text;
    const present = d.outcomes.filter((name) =>
      d.systems.some((system) => system.outcome.some((row) => row.includes(d.codes[name]))));
    const legend = byId("f-outcomes").querySelector("legend");
    const boxes = present.map((name) => {
      const label = make("label");
      const box = make("input");
      box.type = "checkbox";
      box.value = name;
      box.checked = state.outcome.includes(name);
      label.append(box, make("span", "mark " + name), name);
      return label;
    });
    byId("f-outcomes").replaceChildren(legend, ...boxes);
    chips();
  }

  function address() {
    const query = new URLSearchParams({ task: state.task });
    if (state.system) query.set("system", state.system);
    if (state.outcome.length) query.set("outcome", state.outcome.join(","));
    if (state.tag) query.set("tag", state.tag);
    if (state.text) query.set("text", state.text);
    if (state.order !== "apart") query.set("order", state.order);
    for (const name of NARROW) if (narrow[name] !== undefined) query.set(name, narrow[name]);
    return "#samples?" + query;
  }

  function change() {
    state.page = 0;
    chips();
    search();
    show();
    history.replaceState(null, "", address());
  }

  function follow() {
    if (!location.hash.startsWith("#samples?")) return false;
    const query = new URLSearchParams(location.hash.slice(9));
    const task = Number(query.get("task"));
    state.task = stored[task] ? task : 0;
    const d = data();
    state.system = named(query.get("system")) ? query.get("system") : "";
    state.outcome = (query.get("outcome") || "").split(",").filter((name) => d.codes[name]);
    state.tag = d.tags.includes(query.get("tag")) ? query.get("tag") : "";
    state.text = query.get("text") || "";
    state.order = ["apart", "id", "sure"].includes(query.get("order")) ? query.get("order") : "apart";
    state.page = 0;
    for (const name of NARROW) {
      if (query.has(name)) narrow[name] = query.get(name);
      else delete narrow[name];
    }
    return true;
  }

  function goto() {
    const title = byId("samples-title");
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
    title.scrollIntoView();
  }

  function turn(step) {
    state.page += step;
    show();
    goto();
  }

  byId("f-task").addEventListener("change", (event) => {
    Object.assign(state, { task: Number(event.target.value), system: "", outcome: [], tag: "" });
    for (const name of NARROW) delete narrow[name];
    controls();
    change();
  });
  byId("f-system").addEventListener("change", (event) => { state.system = event.target.value; change(); });
  byId("f-tag").addEventListener("change", (event) => { state.tag = event.target.value; change(); });
  byId("f-order").addEventListener("change", (event) => { state.order = event.target.value; change(); });
  byId("f-outcomes").addEventListener("change", () => {
    state.outcome = [...byId("f-outcomes").querySelectorAll(":checked")].map((box) => box.value);
    change();
  });
  let waiting = 0;
  byId("f-text").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { state.text = event.target.value; change(); }, 120);
  });
  byId("earlier").addEventListener("click", () => turn(-1));
  byId("later").addEventListener("click", () => turn(1));
  addEventListener("hashchange", () => {
    if (!follow()) return;
    controls();
    search();
    show();
    goto();
  });

  const asked = follow();
  browser.hidden = false;
  controls();
  search();
  show();
  if (asked) goto();
})();

// Which section is being read.
(() => {
  const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id).setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  for (const id of links.keys()) {
    const section = document.getElementById(id);
    if (section) watch.observe(section);
  }
})();
