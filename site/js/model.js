"use strict";
// The page of a model: what is claimed of it, its numbers in every cohort, and the runs that they come from.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el, code } = A.make;
  const { finite } = A.numbers;
  const { text, objects, list } = A.data;
  const STATES = {
    pending: "Submitted, and not tested yet: there are no numbers.",
    tested: "Tested, and not published yet.",
    published: "",
    withdrawn: "Withdrawn: its numbers are kept for the record and stand in no ranking.",
  };

  function about(model) {
    return A.make.facts([
      ["Repository", text(model.hf_repo) ? A.make.repository(model.hf_repo) : null],
      ["Revision", text(model.revision) ? code(model.revision) : null],
      ["Parameters", A.numbers.parameters(model.parameters)],
      ["Architecture", text(model.architecture)],
      ["Family", text(model.family)],
      ["Context", finite(model.context_length) ? `${A.numbers.whole.format(model.context_length)} tokens` : null],
      ["Licence", text(model.licence)],
      ["Categories", list(model.categories).filter((one) => typeof one === "string").join(", ")],
      ["Submitted", [text(model.submitted_by), text(model.submitted_date)].filter(Boolean).join(", ")],
    ]);
  }

  function claims(model) {
    const all = objects(model.claims);
    if (!all.length) return null;
    const one = (claim) => {
      const status = ["supported", "refuted", "undecided"].includes(claim.status) ? claim.status : "undecided";
      return el(
        "li",
        { class: `claim ${status}` },
        el("p", { class: "status" }, status),
        el("div", {}, el("h4", {}, text(claim.says) || text(claim.id), claim.exploratory === true ? [" ", el("span", { class: "mark" }, "exploratory")] : null), el("p", { class: "quiet" }, text(claim.text), text(claim.run) ? [" \u00b7 run ", code(text(claim.run).slice(0, 16))] : null)),
      );
    };
    return [el("h3", {}, "Claims"), el("ul", { class: "claims" }, all.map(one))];
  }

  function spell(cohort, row, column) {
    const shaped = A.data.shapeOf(cohort, column);
    const cell = row.measured(column.id);
    const name = el("th", { scope: "row", title: text(column.says) || null }, text(column.label) || column.id);
    if (!cell) return el("tr", { class: "without" }, name, el("td", { class: "why", colspan: 3 }, A.parts.whyNot(row.cell(column.id))));
    const rank = row.control ? null : row.rank(column.id);
    const spread = finite(cell.low) || finite(cell.high); // what was counted has no confidence
    const how = [spread ? A.numbers.confidence(cell) : "", spread && finite(cell.n) ? `${A.numbers.whole.format(cell.n)} ${cell.n === 1 ? "sample" : "samples"}` : "", text(cell.method)].filter(Boolean).join(" \u00b7 ");
    return el("tr", {}, name, el("td", { class: "number" }, A.parts.measure(cell, shaped, true), A.parts.flagOf(row, column)), el("td", { class: "number" }, rank ? A.parts.rankText(rank) : ""), el("td", { class: "how" }, how));
  }

  function rowOf({ cohort, row }, open) {
    const heads = ["Number", "Value and interval", "Rank", "From"];
    const table = el("table", { class: "spelled" }, el("thead", {}, el("tr", {}, heads.map((name, at) => el("th", { scope: "col", class: at === 1 || at === 2 ? "number" : null }, name)))), el("tbody", {}, A.parts.grouped(cohort.columns, heads.length, (column) => spell(cohort, row, column))));
    const where = [text(cohort.suite.name), text(cohort.hardware.says)].filter(Boolean).join(" \u00b7 ");
    return el(
      "details",
      { open, class: "standing-in" },
      el("summary", {}, el("b", {}, row.label), A.parts.about(row) ? ` \u00b7 ${A.parts.about(row)}` : "", el("span", { class: "quiet" }, ` \u00b7 ${where}`)),
      el("p", { class: "marks" }, A.parts.marks(row), row.control || !row.standing ? null : el("span", { class: `mark standing ${row.standing}` }, A.front.standingSaid(row))),
      A.make.wide(`Numbers of ${[row.label, A.parts.about(row), where].filter(Boolean).join(", ")}`, table),
      el("p", { class: "note" }, A.parts.go({ ...A.select.unfiltered(), view: "board", cohort: cohort.id }, "The whole cohort"), text(row.raw.run) ? [" \u00b7 run ", code(text(row.raw.run).slice(0, 16))] : null),
    );
  }

  function runs(model) {
    const all = objects(model.runs);
    if (!all.length) return null;
    const one = (run) =>
      el(
        "li",
        {},
        el("h4", {}, text(run.run) || text(run.seal).slice(0, 16)),
        A.make.facts([
          ["Seal", text(run.seal) ? code(run.seal) : null],
          ["Recomputed", run.recomputed === true ? "yes: every number was computed from the archived records when the run was added; the archive is unchanged" : run.recomputed === false ? "no: its archive is another one now, or gone" : "no: the run was never archived"],
          ["Signed", A.data.isObject(run.signed) ? [text(run.signed.algorithm), " key ", code(text(run.signed.fingerprint))] : "no"],
          ["Plan", text(run.plan)],
          ["Date", text(run.date)],
          ["Machine", text(run.machine)],
          ["Records", finite(run.records) ? A.numbers.whole.format(run.records) : null],
          ["assay", text(run.assay)],
          ["Archive", text(run.archive) ? code(run.archive) : null],
          ["Commit", text(run.commit) ? code(run.commit) : null],
        ]),
      );
    return [el("h3", {}, "Runs"), el("p", { class: "note" }, "A seal is the digest of everything in a run. With the archive beside it anyone can recompute these numbers: ", code("assay board verify"), "."), el("ul", { class: "runs" }, all.map(one))];
  }

  function quantizations(model) {
    const all = objects(model.quantizations);
    if (!all.length) return null;
    const cells = (one) => [text(one.name), text(one.format), text(one.file) ? code(one.file) : "", finite(one.bytes) ? `${A.numbers.whole.format(one.bytes / 1e6)} MB` : "", text(one.digest) ? el("code", { title: one.digest }, one.digest.slice(0, 19)) : ""];
    const table = el("table", { class: "specs" }, el("thead", {}, el("tr", {}, ["Quantisation", "Format", "File", "Size", "Digest"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, all.map((one) => el("tr", {}, cells(one).map((cell, at) => (at ? el("td", {}, cell) : el("th", { scope: "row" }, cell)))))));
    return [el("h3", {}, "Files"), A.make.wide("Files of the model", table)];
  }

  function draw(view, board, state) {
    const model = board.models.get(state.model);
    const back = el("p", { class: "back" }, A.parts.go({ view: "board", model: "" }, "\u2190 Board"));
    if (!model) {
      view.replaceChildren(back, A.parts.notice("This board has no such model", state.model ? `The link names \u201c${state.model}\u201d.` : "The link names none.", "Look for it on the board."));
      return;
    }
    const places = board.rowsOf(model.id);
    const name = text(model.name) || text(model.id);
    const state_ = Object.hasOwn(STATES, text(model.state)) ? STATES[model.state] : text(model.state);
    const curves = objects(model.curves).map(A.curves.draw).filter(Boolean);
    const badges = list(model.badges).filter((one) => typeof one === "string").map((path) => A.make.picture(path, `Badge of ${name}`)).filter(Boolean);
    view.replaceChildren(
      ...[
        back,
        ...A.parts.heading(name, state_ || null),
        badges.length ? el("p", { class: "badges" }, badges) : null,
        about(model),
        claims(model),
        places.length ? el("h3", {}, "Numbers") : null,
        places.map((place, at) => rowOf(place, at === 0)),
        curves.length ? [el("h3", {}, "Curves"), el("div", { class: "curves" }, curves)] : null,
        quantizations(model),
        runs(model),
      ].flat(2).filter(Boolean),
    );
  }

  A.model = { draw };
})();
