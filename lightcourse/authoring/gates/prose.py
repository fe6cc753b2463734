"""Gates on the text: the title and the seven steps of every chapter, in order."""

from collections.abc import Iterator

from lightcourse.authoring.gates.base import Draft, Problem

STEPS = ("Question", "Predict", "Play", "Build", "Measure", "Meet the real thing", "Explain")


def gate_title(draft: Draft) -> Iterator[Problem]:
    """The first cell is markdown and opens with the only level-1 heading: `# 02 · Title`."""
    number = draft.chapter.number
    for cell in draft.chapter.cells:
        heading = cell.kind == "markdown" and cell.source.startswith("# ")
        if cell.number == 1 and not (heading and cell.source.startswith(f"# {number} · ")):
            message = f"cell 1 is not the title: write '# {number} · …' in a markdown cell."
            yield draft.problem("title", cell.line, message)
        elif cell.number > 1 and heading:
            message = f"{cell} is a second title: make it '## …'."
            yield draft.problem("title", cell.line, message)


def gate_steps(draft: Draft) -> Iterator[Problem]:
    """The seven steps stand as level-2 headings, once each, in order, each opening its cell."""
    found: list[tuple[str, int]] = []
    for cell in draft.chapter.cells:
        if cell.kind != "markdown":
            continue
        for line, text in cell.lines():
            step = text.removeprefix("## ").split(":")[0].strip()
            if not text.startswith("## ") or step not in STEPS:
                continue
            if line != cell.body:
                message = f"{cell}: '## {step}' is not the cell's first line: start a new cell."
                yield draft.problem("steps", line, message)
            found.append((step, line))
    names = [step for step, _ in found]
    for step in STEPS:
        if step not in names:
            message = f"there is no heading '## {step}': each of the seven steps needs its own."
            yield draft.problem("steps", 1, message)
    for step, line in found:
        if names.count(step) > 1:
            yield draft.problem("steps", line, f"'## {step}' stands twice: join the two.")
    present = [step for step in STEPS if step in names]
    if len(set(names)) == len(names) and names != present:
        step, line = next(one for one, right in zip(found, present, strict=True) if one[0] != right)
        message = f"'## {step}' is out of order: the steps are {', '.join(STEPS)}."
        yield draft.problem("steps", line, message)
