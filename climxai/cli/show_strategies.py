"""What `climxai strategies` prints: clusters, how stable they are, what is suspect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from climxai.cli.show import show_paths, table

if TYPE_CHECKING:
    from climxai.composites.clusters.report import Account
    from climxai.stages.strategies import Clustered


def show_strategies(done: Clustered) -> None:
    """Print the account of each method and group of samples; then the files."""
    for told in done.accounts:
        _show(told)
    click.echo()
    show_paths("netCDF", done.netcdfs)
    show_paths("table", done.tables)
    show_paths("picture", done.pictures)


def _show(told: Account) -> None:
    chosen = told["chosen"]
    how = "given" if chosen["given"] else "suggested" if chosen["votes"] else "found"
    click.echo(f"\n{told['method']}, {told['within']}: {told['samples']} samples, "
               f"{chosen['clusters']} clusters ({how})")  # fmt: skip
    if chosen["votes"]:
        votes = ", ".join(f"{name} {number}" for name, number in chosen["votes"].items())
        click.echo(f"best by each criterion: {votes}")
    for count, text in (
        (told["without_relevance"], "have maps without any relevance and are in no cluster"),
        (told["in_no_cluster"], "lie between clusters and are in none"),
    ):
        if count:
            click.echo(f"{count} samples {text}")
    if told["clusters"]:
        _clusters(told["clusters"])
    click.echo()
    click.echo(
        table(
            ["stability: what is changed", "samples", "clusters", "adj. Rand", "lowest"],
            [
                ["resamples (mean)", told["samples"] - told["without_relevance"],
                 chosen["clusters"], told["resampling"], None],
                *(
                    [row["change"], row["samples"], row["clusters"], row["agreement"],
                     row["lowest"]]
                    for row in told["stability"]
                ),
            ],
        )
    )  # fmt: skip
    click.echo(f"the clusters are {told['verdict']}")
    click.echo()
    for finding in told["suspects"]:
        click.echo(
            click.wrap_text(
                f"cluster {finding['cluster']}: {finding['text']}",
                width=96, initial_indent="suspect  ", subsequent_indent="         ",
            )
        )  # fmt: skip
    if not told["suspects"]:
        click.echo("nothing suspect" + ("" if _asked(told) else " (`strategies.suspect` names no "
                   "place where relevance should not be)"))  # fmt: skip


def _asked(told: Account) -> bool:
    suspect = told["settings"]["suspect"]
    return bool(suspect["land"] or suspect["border"] or suspect["outside"] is not None)


def _clusters(clusters: list[dict[str, Any]]) -> None:
    classes = [name for name in clusters[0]["classes"] if any(c["classes"][name] for c in clusters)]
    if len(classes) < 2:
        classes = []
    places = list(clusters[0]["shares"])
    click.echo(
        table(
            ["cluster", "n", *classes, "right", "silhouette", "alike maps", "follows field",
             *places, "most typical"],
            (
                [each["cluster"], each["count"], *(each["classes"][name] for name in classes),
                 each["right"], each["silhouette"], each["alike_relevance"], each["follows_field"],
                 *each["shares"].values(), " ".join(each["nearest"])]
                for each in clusters
            ),
        )
    )  # fmt: skip
