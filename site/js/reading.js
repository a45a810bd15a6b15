"use strict";
// How to read the board, and what each of its columns says.
(() => {
  const A = (globalThis.AssayBoard ??= {});
  const { el } = A.make;
  const WORDS = [
    ["Interval", "What stands in brackets. The records support any value in it; whatever lies outside is ruled out at the stated confidence."],
    ["Rank", "2\u20134 says: at best second, at worst fourth, and the records do not tell which. Pairs of systems are tested on the samples that both were asked, and the tests share one error rate (Holm)."],
    ["Band", "Rows in one bracket cannot be told apart from the first of them. Their order inside is no finding."],
    ["Cohort", "One suite at one version, the same samples, one kind of machine. Rows of two cohorts are never ranked or compared."],
    ["Control", "A system that knows nothing: silent, random or constant. What a control reaches, reading the question did not earn."],
    ["Census", "Every case there is was asked, or counted: the number generalises over nothing, and has no interval."],
    ["Control as good", "A control does as well on this number: it is not shown to be earned by knowing the task."],
    ["Blank", "Not measured. It is not zero, counts for nothing, and sorts last."],
    ["Recomputed", "Every number was computed from the archived records when the run was added, and the archive is unchanged. To compute them again: assay board verify."],
    ["Signed", "The seal of the run carries a signature that verifies; the model's page names the key."],
    ["Reported", "Published by others, without records. Shown apart, never ranked."],
    ["Paired, unpaired", "A difference is paired when both systems were asked the same samples and the board holds that pair. If not, it is computed from the two intervals (MOVER), and is usually wider than need be."],
    ["On the front", "No other system is as good on every objective and better on one, as the numbers stand. Beaten: another is shown to be better on all of them at once. Unresolved: another is ahead, and it is not shown."],
  ];

  function draw(view, board, cohort) {
    const columns = cohort ? cohort.columns : [];
    const wish = (column) => ({ higher: "higher is better", lower: "lower is better" })[column.better] || "";
    const rows = columns.map((column) => el("tr", {}, el("th", { scope: "row" }, A.data.text(column.label) || column.id), el("td", {}, A.data.text(column.task)), el("td", {}, A.data.text(column.group)), el("td", {}, A.data.text(column.says), wish(column) ? el("small", {}, wish(column)) : null)));
    const table = el("table", { class: "specs" }, el("thead", {}, el("tr", {}, ["Column", "Task", "Group", "What it says"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, rows));
    const digest = cohort && A.data.text(cohort.suite.digest);
    view.replaceChildren(...[...A.parts.heading("How to read it", null), A.make.facts(WORDS), digest ? el("p", { class: "note" }, `Suite ${A.data.text(cohort.suite.name)}: `, A.make.code(digest)) : null, rows.length ? [el("h3", {}, "Columns of this cohort"), A.make.wide("Columns of this cohort", table)] : null].flat().filter(Boolean));
  }

  A.reading = { draw };
})();
