"""Write comparisons as text: for a terminal, as Markdown, CSV, LaTeX and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from pydantic_core import to_json

from stdpnet.reading import visible
from stdpnet.runs.scores import are_spikes
from stdpnet_analysis.compare import Comparison, Contrast, Entry, Group
from stdpnet_analysis.positions import SHARES
from stdpnet_analysis.readouts import ROLES, title_of
from stdpnet_analysis.statistics import WILCOXON_PAIRS, Summary
from stdpnet_analysis.text import count, percent, points, with_minus

WIDTH = 10_000
"""Columns of a terminal's table that is written to a file: no cell is cut."""
LATEX = {"\\": r"\textbackslash{}", "±": r"$\pm$", "–": "--", "−": r"$-$", "\u202f": r"\,", "≥": r"$\geq$"}
LATEX |= {character: f"\\{character}" for character in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\^{}"}


class Table(NamedTuple):
    """A table of text; the first column is the name of the row, the others are numbers."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def record(group: Group) -> dict[str, Any]:
    """Return a row of the comparison as plain numbers; accuracies are fractions, sd of one seed is None."""
    model = group.model
    content: dict[str, Any] = {
        "name": group.name,
        "architecture": model.family,
        **{key: model.details.get(key) for key in ("channels", "kernel", "competition")},
        "neurons": model.units,
        "synapses_xy": model.synapses.get("feedforward", 0),
        "synapses_yy": model.synapses.get("competition", 0),
        "synapses": model.total_synapses,
        "training_labels": model.labels,
        "seeds": list(group.seeds),
        "n": len(group.seeds),
        "training_images": max(entry.training_images for entry in group.entries),
        "complete": all(entry.complete for entry in group.entries),
        "stale": any(entry.stale for entry in group.entries),
        "vote_rule": group.best("vote"),
    }
    columns = (*ROLES, *group.other_linear)
    for column in columns:
        content[column] = _pair(group.accuracy(column))
    for column in columns:
        content[f"untrained_{column}"] = _pair(group.untrained(column))
    content["pixels_linear"] = _pair(group.mean(lambda entry: entry.pixels))
    for name, of in COSTS.items():
        content[name] = _mean(group.mean(of))
    content |= {name: _mean(group.mean(_share(name))) for name in SHARES.values()}
    content["runs"] = [str(entry.path) for entry in group.entries]
    return content


COSTS: dict[str, Callable[[Entry], float | None]] = {
    "images_per_s": lambda entry: entry.images_per_s,
    "input_spikes_per_image": lambda entry: entry.cost.get("input_spikes"),
    "spikes_per_image": lambda entry: entry.spikes if are_spikes(entry.cost) else None,
    "synaptic_events_per_image": lambda entry: entry.cost.get("events"),
}


def _share(name: str) -> Callable[[Entry], float | None]:
    return lambda entry: entry.positions.get(name)


def _pair(summary: Summary | None) -> dict[str, float | None]:
    return {"mean": None, "sd": None} if summary is None else summary.mean_sd


def _mean(summary: Summary | None) -> float | None:
    return None if summary is None else summary.mean


def accuracy_table(comparison: Comparison) -> Table:
    """Return the accuracies in percent."""
    rows = []
    for group in comparison.groups:
        images = {entry.training_images for entry in group.entries}
        trained = count(max(images)) if len(images) == 1 else f"{count(min(images))}–{count(max(images))}"
        mark = "" if all(entry.complete for entry in group.entries) else " (unfinished)"
        mark = " (stale)" if any(entry.stale for entry in group.entries) else mark
        cells = [group.name, str(len(group.seeds)), trained + mark]
        for column in comparison.columns:
            cells.append(percent(group.accuracy(column)))
            if column == "vote":
                cells.append(group.best(column) or "–")
        baselines = [*map(group.untrained, comparison.columns), group.mean(lambda entry: entry.pixels)]
        rows.append(cells + [percent(each) for each in baselines])
    title = f"Accuracy on {comparison.split} images, %, mean ± sample standard deviation over seeds"
    headings = ["network", "seeds", "images"]
    for column in comparison.columns:
        headings += [title_of(column), "rule"] if column == "vote" else [_short(column)]
    headings += [f"untrained {_short(column)}" for column in comparison.columns]
    return Table(title, [*headings, "pixels linear"], rows)


def _short(column: str) -> str:
    """Return a column's heading where there is little room."""
    return column.replace("_", " ")


def size_table(comparison: Comparison) -> Table:
    """Return sizes, speed and cost."""
    rows = []
    for group in comparison.groups:
        model = group.model
        kinds = (model.synapses.get(kind, 0) for kind in ("feedforward", "competition"))
        sizes = (model.units, *kinds, model.total_synapses)
        costs = [_mean(group.mean(of)) for of in COSTS.values()]
        rows.append([group.name, *(f"{size:,}".replace(",", "\u202f") for size in sizes), *map(count, costs)])
    headings = ["network", "neurons", "synapses XY", "synapses YY", "synapses", "images/s"]
    return Table("Size, speed and cost", [*headings, "input spikes", "spikes", "synaptic events"], rows)


def positions_table(comparison: Comparison) -> Table:
    """Return how many neurons of a position spike, and how far a learned competition differs from a fixed one."""
    shares = [(group.name, [group.mean(_share(name)) for name in SHARES.values()]) for group in comparison.groups]
    rows = [[name, *map(percent, cells)] for name, cells in shares if any(cells)]
    title = "Positions, %: with so many neurons that spike; with the same counts if the competition were not learned"
    return Table(title, ["network", *SHARES], rows)


def contrast_table(comparison: Comparison) -> Table:
    """Return the paired tests."""
    rows = [_test_cells(test) for test in comparison.tests]
    headings = ["first − second", "read-out", "seeds", "points [95 %]", "t test p", "Holm", "Wilcoxon p"]
    return Table("Paired tests over common seeds, difference in percentage points", headings, rows)


def _test_cells(test: Contrast) -> list[str]:
    difference = with_minus(points(test.result))
    p_values = (test.result.t_test, test.holm, test.result.wilcoxon)
    cells = ["–" if p is None else f"{p:.2g}" for p in p_values]
    return [f"{test.first} − {test.second}", test.readout, str(len(test.result.seeds)), difference, *cells]


def notes(comparison: Comparison) -> list[str]:
    """Return notes that explain the tables, and a line for each run that is left out."""
    lines = [
        "best vote: the one of all, patch and spikes_first with the best mean; untrained: the same networks before "
        "training; pixels: a linear read-out of the pixels. "
        "Spikes and synaptic events are means per image, a proxy for energy."
    ]
    if any("positions_equal_mean" in entry.positions for group in comparison.groups for entry in group.entries):
        lines.append(
            "Equal: share of the positions that spike and answer an image with the same counts, neuron by neuron, when "
            "each learned competition weight is replaced by the mean of all, or by its initial value; 100 %: what was "
            "learned changes nothing."
        )
    if comparison.tests:
        lines.append(
            "Intervals are Student's; Holm: corrected for the number of tests of a read-out; "
            f"Wilcoxon's test needs {WILCOXON_PAIRS} seeds to fall below 0.05."
        )
    elif len(comparison.groups) > 1:
        lines.append("No paired test: no two rows have two seeds in common; train more with --seed 1, 2, ...")
    stale = [str(entry.path) for group in comparison.groups for entry in group.entries if entry.stale]
    if stale:
        lines.append(f"stale: trained further since they were scored; `stdpnet evaluate` {', '.join(stale)} again")
    return lines + [f"left out: {each.run}: {each.reason}" for each in comparison.left_out]


def tables(comparison: Comparison) -> list[Table]:
    """Return all tables that have rows."""
    found = tuple(make(comparison) for make in (accuracy_table, size_table, positions_table, contrast_table))
    return [table for table in found if table.rows]


def as_terminal(comparison: Comparison, width: int | None = None, colour: bool = False) -> str:
    """Return the tables with drawn lines; the default width is that of the terminal."""
    from rich.console import Console
    from rich.table import Table as Drawn

    plain: Any = {"markup": False, "highlight": False, "emoji": False}  # names may look like any of these
    console = Console(file=io.StringIO(), width=width, force_terminal=colour or None, **plain)
    for table in tables(comparison):
        drawn = Drawn(title=table.title, title_justify="left")
        for number, heading in enumerate(table.headings):
            look: Any = {"justify": "right" if number else "left", "min_width": None if number else 24}
            drawn.add_column(heading, overflow="fold", **look)
        for row in table.rows:
            drawn.add_row(*map(visible, row))
        console.print(drawn)
    for note in notes(comparison):
        console.print(note, highlight=False, markup=False, soft_wrap=True)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def as_markdown(comparison: Comparison, chosen: Sequence[Table] | None = None) -> str:
    """Return all tables, or the chosen ones that have rows, as Markdown with notes."""
    parts = []
    for table in tables(comparison) if chosen is None else [table for table in chosen if table.rows]:
        parts += [f"**{table.title}**", markdown_table(table)]
    return "\n\n".join([*parts, *notes(comparison)]) + "\n"


def markdown_table(table: Table) -> str:
    """Return headings and rows as Markdown, without the title."""
    return "\n".join(markdown_lines(table.headings, table.rows, "---:"))


def markdown_lines(headings: Sequence[str], rows: Sequence[Sequence[str]], rule: str = "---") -> list[str]:
    """Return the lines of a Markdown table; `rule` is the rule of all columns but the first."""
    cells = [[cell.replace("|", r"\|") for cell in row] for row in (headings, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], f"|---|{f'{rule}|' * (len(headings) - 1)}", *lines[1:]]


def as_latex(comparison: Comparison) -> str:
    """Return the tables as LaTeX (package booktabs)."""
    parts = []
    for table in tables(comparison):
        head, *rows = (" & ".join(map(_tex, row)) + r" \\" for row in (table.headings, *table.rows))
        lines = [
            f"\\begin{{tabular}}{{l{'r' * (len(table.headings) - 1)}}}",
            r"\toprule",
            head,
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
        ]
        parts.append("\n".join([f"% {table.title}", *lines]))
    return "\n\n".join([*parts, *(f"% {note}" for note in notes(comparison))]) + "\n"


def _tex(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in text)


def as_csv(comparison: Comparison) -> str:
    """Return one line per group, with plain numbers; accuracies are fractions. The tests are in JSON only."""
    out = io.StringIO()
    rows = [_flat(record(group)) for group in comparison.groups]
    fields = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(out, fields or ["name"], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _flat(content: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, dict):
            flat |= {f"{key}_{part}": number for part, number in value.items()}
        else:
            flat[key] = " ".join(map(str, value)) if isinstance(value, list) else value
    return flat


def as_json(comparison: Comparison) -> str:
    """Return everything as one JSON object, with the accuracies of each seed."""
    groups = [
        {
            **record(group),
            "by_seed": {str(entry.spec.seed): {"trained": entry.trained, "untrained": entry.untrained}
                        for entry in group.entries},
        }
        for group in comparison.groups
    ]  # fmt: skip
    tests = [
        {
            "readout": test.readout,
            "first": test.first,
            "second": test.second,
            **test.result._asdict(),
            "holm": test.holm,
        }
        for test in comparison.tests
    ]
    content = {"split": comparison.split, "groups": groups, "tests": tests}
    content["left_out"] = [asdict(each) for each in comparison.left_out]
    return to_json(content, indent=2, inf_nan_mode="null").decode() + "\n"


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "table": lambda comparison: as_terminal(comparison, WIDTH),
    "markdown": as_markdown,
    "csv": as_csv,
    "latex": as_latex,
    "json": as_json,
}
ENDINGS = {".txt": "table", ".md": "markdown", ".csv": "csv", ".tex": "latex", ".json": "json"}
