"""``assay rust evaluate``: task files, models and rivals become plans, and plans become decisions."""

from __future__ import annotations

from pathlib import Path

from assay.pages import Page, check_folder, progress, wrong_option


def evaluate(
    *,
    tasks: str,
    models: str | None = None,
    corpus: Path | None = None,
    baselines: str | None = None,
    runs: int | None = None,
    samples: int | None = None,
    output: Path | None = None,
    out: Path = Path("runs"),
) -> Page:
    """Ask models and rivals every task of some task files, and say which of them does.

    Every name is resolved before anything runs. For all tasks that are asked in the same way a plan is
    written to --out and run there, as `assay run` would; what is deterministic runs once. Patterns
    stand in quotes, and may have braces. Last come the decisions.

    Parameters
    ----------
    tasks
        Task files: a path or a pattern, 'tasks/*.yaml'.
    models
        Model files or folders, 'models/*.{gguf,safetensors}', or names, smollm2-135m-instruct; commas
        between them.
    corpus
        Programs for the tasks that a compiler judges; without it those of the task, or those of assay.
    baselines
        Rivals, commas between them: claude, gemini, ollama:MODEL, NAME=PROGRAM ARGUMENTS, or the id of a
        baseline of a task file.
    runs
        Runs of what draws; without it what the task says, or 5.
    samples
        Ask at most this many test samples; without it what the task says, or 1000.
    output
        Write everything to this file, .json or .md.
    out
        The folder for plans and runs.
    """
    from assay import run
    from assay.plans import write_plan
    from assay.progress import telling

    from ..evaluate.asking import Wanted
    from ..evaluate.files import matching
    from ..evaluate.planning import plans_of
    from ..evaluate.systems import read_baselines, read_models
    from ..evaluate.telling import Done, check_output, facts_of, lines_of, write_output
    from ..rust.toolchain import toolchain
    from ..taskfile import read_task_file

    for option, number in (("--runs", runs), ("--samples", samples)):
        if number is not None and number < 1:
            raise wrong_option(option, f"{number} is too few", "give 1 or more")
    check_output(output)
    check_folder(out)
    files = [read_task_file(path) for path in matching("--tasks", tasks)]
    contestants = [*read_models(models), *read_baselines(baselines, files)]
    if any(file.compiles for file in files):
        toolchain()  # says how Rust is installed, where it is not
    wanted = Wanted(corpus=corpus, samples=samples, runs=runs, folder=out)
    planned = plans_of(files, contestants, wanted)
    written = []
    for each in planned:
        path = out / f"{each.name}.yaml"
        written.append((each, path, write_plan(path, each.plan, says=each.says)))
    done = []
    for each, path, loaded in written:
        progress(f"{path}")
        with telling() as teller:
            done.append(Done(planned=each, plan=path, run=run(loaded, below=out, teller=teller)))
    lines = lines_of(done)
    if output is not None:
        write_output(output, done)
        lines = [f"Wrote {output}", "", *lines]
    return Page(lines=lines, facts=facts_of(done))
