"""What commands print on standard output: scores, summaries, paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from climxai.stages.audit import Audited
    from climxai.stages.check import Plan
    from climxai.stages.composite import Composited
    from climxai.stages.novelty import Found
    from climxai.stages.optimal_input import OptimalInputs
    from climxai.stages.train import Trained


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return an aligned table: first column to the left, the others to the right."""
    cells = [list(header), *([_text(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = []
    for row in cells:
        first = row[0].ljust(widths[0])
        rest = (value.rjust(width) for value, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join([first, *rest]).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    # z: what rounds to zero has no sign.
    return f"{value:z.3f}" if isinstance(value, float) else str(value)


def size(count: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def show_training(trained: Trained) -> None:
    """Print accuracy and balanced accuracy per seed and part, beside the baselines."""
    scores = trained.scores
    parts = [part for part in ("train", "validation", "test") if part in scores["seeds"][0]]
    rows = []
    for row in scores["seeds"]:
        rows.append([f"seed {row['seed']}", *_accuracies(row, parts)])
    for name, row in scores["baselines"].items():
        rows.append([f"{name.replace('_', ' ')} (baseline)", *_accuracies(row, parts)])
    header = ["network"]
    for part in parts:
        header += [f"{part} acc.", "balanced"]
    click.echo(table(header, rows))
    click.echo(f"scores    {trained.layout.scores}")
    click.echo(f"networks  {trained.layout.network(0).parent}")


def _accuracies(row: dict[str, Any], parts: Sequence[str]) -> list[Any]:
    values: list[Any] = []
    for part in parts:
        found = row.get(part, {})
        values += [found.get("accuracy"), found.get("balanced_accuracy")]
    return values


def show_composites(done: Composited) -> None:
    """Print, per method, class and seed, how far the maps can be trusted; then the files."""
    from climxai.composites.summary import spread_over_seeds

    for method, rows in done.summaries.items():
        click.echo(f"\n{method}")
        click.echo(
            table(
                ["class", "seed", "n", "zero maps", "conservation", "corr. |field|"],
                (
                    [
                        row["class_name"],
                        row["seed"],
                        row["count"],
                        row["zero_fraction"],
                        row["conservation"],
                        row["correlation"],
                    ]
                    for row in rows
                ),
            )
        )
        for spread in spread_over_seeds(rows):
            if spread["quantity"] == "correlation" and spread["seeds"] > 1:
                click.echo(
                    f"{spread['class_name']}: correlation with |field| from {spread['lowest']:.3f} "
                    f"to {spread['highest']:.3f} over {spread['seeds']} seeds that have maps"
                )
    click.echo()
    show_paths("netCDF", done.netcdfs)
    show_paths("map", done.maps)


def show_audit(done: Audited) -> None:
    """Print, per method and seed, how much relevance reached the map and what took the rest."""
    for method, rows in done.summaries.items():
        click.echo(f"\n{method}")
        columns = ("n", "conservation", "bias", "stabiliser", "other", "land", "zero_maps")
        click.echo(
            table(
                ["seed", "n", "conservation", "to bias", "to stabiliser", "to other", "on land",
                 "zero maps"],
                ([row["seed"], *(row[name] for name in columns)] for row in rows),
            )
        )  # fmt: skip
    click.echo(
        "\nmedian shares of what was handed out at the output; zero maps: fraction of the samples"
    )
    for text in done.advice:
        click.echo()
        click.echo(
            click.wrap_text(text, width=96, initial_indent="advice  ", subsequent_indent="        ")
        )
    click.echo()
    show_paths("netCDF", done.netcdfs)
    show_paths("picture", done.pictures)


def show_optimal_inputs(done: OptimalInputs) -> None:
    """Print what every input reached, and how like the class's mean field it is; then the files."""
    several = len({row["channel"] for row in done.rows}) > 1
    header = ["target", "seed", *(["channel"] if several else [])]
    click.echo(
        table(
            [*header, "at the start", "reached", "moves", "corr. field"],
            (
                [
                    *(row[name] for name in header),
                    row["start"],
                    row["reached"],
                    row["moves"],
                    row["correlation"],
                ]
                for row in done.rows
            ),
        )
    )
    quantities = {row["target"]: row["quantity"] for row in done.rows}
    click.echo("\nreached: " + "; ".join(f"{name}: {what}" for name, what in quantities.items()))
    click.echo(
        "moves: steps before the gradient vanished; "
        "corr. field: area-weighted pattern correlation with the class's mean field\n"
    )
    show_paths("netCDF", [done.netcdf])
    show_paths("picture", done.pictures)


def show_novelty(done: Found) -> None:
    """Print the most novel samples, then the files."""
    shown = done.rows[:12]
    names = [name for name in shown[0] if name != "in_baseline"]
    rows = [[*(row[name] for name in names), "yes" if row["in_baseline"] else ""] for row in shown]
    click.echo(table([*names, "in baseline"], rows))
    click.echo(f"\n{done.summary}")
    click.echo("novelty: what they leave of a sample, in standard deviations of the baseline\n")
    show_paths("netCDF", [done.netcdf, *([done.maps] if done.maps else [])])
    show_paths("ranking", [done.ranking])
    show_paths("picture", done.pictures)


def show_paths(kind: str, paths: Iterable[Path]) -> None:
    """Print one line per file."""
    for path in paths:
        click.echo(f"{kind:7s} {path}")


def show_plan(plan: Plan) -> None:
    """Print what an experiment is going to do and need."""

    def line(name: str, value: object) -> None:
        click.echo(f"{name:12s} {value}")

    shown = ", ".join(plan.files[:3]) + (
        f", … ({len(plan.files)} files)" if len(plan.files) > 3 else ""
    )
    line("files", shown)
    line("period", f"{plan.period[0]} to {plan.period[1]}, {plan.rows} times, {plan.calendar}")
    line("grid", plan.grid)
    line("channels", ", ".join(plan.channels))
    line("valid cells", f"{plan.valid_cells} of {plan.cells}")
    line("preprocess", " -> ".join(plan.preprocess) or "nothing")
    click.echo()
    classes = list(next(iter(plan.counts.values())))
    click.echo(
        table(
            ["samples", *classes, "total"],
            (
                [part if part != "none" else "in a gap", *counts.values(), sum(counts.values())]
                for part, counts in plan.counts.items()
                if sum(counts.values()) or part in ("train", "test")
            ),
        )
    )
    if plan.dropped:
        click.echo(f"{plan.dropped} of {plan.rows} times fall into no class and are left out")
    click.echo()
    seeds = ", ".join(map(str, plan.seeds))
    line("network", f"{plan.network}, {plan.parameters:,} parameters, seeds {seeds}")
    line("methods", ", ".join(plan.methods))
    shards = f"{plan.shards} shard{'s' if plan.shards != 1 else ''}"
    line("explaining", f"{plan.explained} samples, {shards} of up to {plan.rows_per_shard}")
    line(
        "memory",
        f"about {size(plan.training_bytes)} to train, {size(plan.shard_bytes)} to explain, "
        "besides about 0.5 GB of libraries",
    )
    line("disk", f"about {size(plan.disk_bytes)} in {plan.output}")
    for warning in plan.warnings:
        click.echo(f"warning: {warning}", err=True)
