"""Clusters of relevance: the strategies of the networks, and what is suspect about them."""

from __future__ import annotations

from typing import Any

from climxai.report.images import figure
from climxai.report.markup import Html, bullets, html, tag
from climxai.report.material import Clusters, Material
from climxai.report.numbers import number, percent
from climxai.report.switch import Choice, Panel, switch
from climxai.report.tables import Cell, table

CRITERIA = {"eigengap": "the eigengap", "silhouette": "silhouettes", "stability": "stability"}


def body(material: Material) -> Html | None:
    """Return every group of samples: verdict, table, pictures."""
    if not material.clusters:
        return None
    return html([_group(material, at, each) for at, each in enumerate(material.clusters)])


def _group(material: Material, at: int, clusters: Clusters) -> Html:
    account = clusters.account
    found: list[Any] = [tag("h3", f"{account['method']}, {_within(material, account)}")]
    found.append(tag("p", _chosen(account)))
    found.append(tag("p", tag("strong", "Do they hold? "), _sentence(str(account["verdict"]))))
    suspects = [
        f"Cluster {each['cluster']}: {each['text']}" for each in account.get("suspects", ())
    ]
    if suspects:
        found.append(html([tag("p", tag("strong", "Suspect:")), bullets(suspects)]))
    else:
        found.append(tag("p", "No cluster is suspect by the rules of the configuration."))
    found.append(_table(material, account))
    if clusters.maps:
        found.append(_maps(material, at, clusters))
    for picture in clusters.pictures:
        found.append(
            figure(
                picture.path,
                picture.shown,
                picture.caption,
                href=material.relative(picture.path),
            )
        )
    found.append(_stability(account))
    return html(found)


def _within(material: Material, account: Any) -> str:
    text = str(account["within"])
    if not text.startswith("class "):
        return text
    return f"class {material.words(text.removeprefix('class '))}"


def _sentence(verdict: str) -> str:
    return verdict[:1].upper() + verdict[1:] + "."


def _chosen(account: Any) -> str:
    chosen, algorithm = account["chosen"], account["settings"]["algorithm"]["name"]
    text = f"{account['samples']} samples fall into {chosen['clusters']} clusters ({algorithm})"
    if chosen.get("given"):
        text += ", a number that was given."
    else:
        votes = [
            f"{CRITERIA.get(name, name)} {'none' if value is None else value}"
            for name, value in chosen.get("votes", {}).items()
        ]
        text += f"; their number is suggested by {', '.join(votes)}."
    if account.get("without_relevance"):
        text += f" {account['without_relevance']} zero maps were left out."
    if account.get("in_no_cluster"):
        text += f" {account['in_no_cluster']} lie between clusters."
    return text


def _table(material: Material, account: Any) -> Html:
    names = list(account["clusters"][0]["classes"]) if account["clusters"] else []
    rows = [
        [
            Cell(f"Cluster {each['cluster']}", each["cluster"]),
            each["count"],
            each.get("silhouette"),
            *(each["classes"][name] for name in names),
            Cell(percent(each.get("right")), each.get("right")),
            each.get("follows_field"),
            ", ".join(each.get("nearest", ())),
        ]
        for each in account["clusters"]
    ]
    header = ["cluster", "samples", "silhouette", *(material.words(name) for name in names),
              "classified right", "follows the field", "nearest to its centre"]  # fmt: skip
    return table(
        f"Clusters of {account['method']}, {_within(material, account)}",
        header,
        rows,
        digits=2,
        note="Follows the field: correlation of relevance with the size of the field's anomaly.",
    )


def _maps(material: Material, at: int, clusters: Clusters) -> Html:
    account, panels = clusters.account, []
    held = {each["cluster"]: each for each in account["clusters"]}
    for place, (cluster, path) in enumerate(clusters.maps.items()):
        each = held[cluster]
        shown = (
            f"Composite relevance of cluster {cluster} of {len(held)}: {each['count']} samples, "
            f"nearest to its centre {', '.join(each.get('nearest', ()))}; silhouette "
            f"{number(each.get('silhouette'), 2)}."
        )
        content = figure(path, f"Map. {shown}", shown, href=material.relative(path))
        panels.append(Panel((place,), content, f"Now shown: cluster {cluster}"))
    options = tuple(str(cluster) for cluster in clusters.maps)
    return switch(f"clusters-{at}", [Choice("Cluster", options)], panels, "There is no such map.")


def _stability(account: Any) -> Html | None:
    rows = [
        [each["change"], each["clusters"], each.get("agreement"), each.get("lowest")]
        for each in account.get("stability", ())
    ]
    if not rows:
        return None
    return tag(
        "details",
        tag("summary", "How far the clusters change with the settings"),
        table(
            "Adjusted Rand index with the clusters above",
            ["change", "clusters", "agreement", "lowest"],
            rows,
            digits=2,
            note="1: the same clusters; 0: as alike as by chance.",
        ),
    )
