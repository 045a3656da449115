"""Running it again: the exact configuration; and every file that is there."""

from __future__ import annotations

from typing import Any

from climxai.core.files import TEMPORARY
from climxai.report.markup import Html, html, link, tag
from climxai.report.material import Material
from climxai.report.numbers import plural, size
from climxai.report.tables import Cell, table


def configuration(material: Material) -> Html | None:
    """Return the configuration, whole, and what to type."""
    if not material.config_text:
        return None
    return html(
        [
            tag(
                "p",
                "Save this as config.yaml",
                [", or take ", link("config.yaml"), " beside this page"]
                if (material.root / "config.yaml").exists()
                else None,
                ": every default is spelt out. Then:",
            ),
            tag("pre", tag("code", f"climxai run config.yaml\n{material.command}"), tabindex=0),
            tag(
                "div",
                tag("button", "Copy the configuration", type="button", id="copy"),
                tag("span", id="copied", role="status"),
                class_="needs-script",
            ),
            tag(
                "pre",
                tag("code", material.config_text, id="configuration"),
                tabindex=0,
                role="region",
                aria_label="The configuration, YAML",
                class_="long",
            ),
        ]
    )


def files(material: Material) -> Html | None:
    """Return links to every file, folder by folder."""
    folders: dict[str, list[Any]] = {}
    for path in sorted(material.root.rglob("*")):
        if not path.is_file() or TEMPORARY in path.name or path.name.startswith("."):
            continue
        where = path.parent.relative_to(material.root).as_posix()
        top = where.split("/")[0] if where != "." else ""
        name, length = material.relative(path), path.stat().st_size
        if name != "report.html":
            kind = path.suffix.removeprefix(".") or "none"
            folders.setdefault(top, []).append([link(name), kind, Cell(size(length), length)])
    if not folders:
        return None
    return html([_folder(top, folders[top]) for top in sorted(folders)])


def _folder(top: str, rows: list[Any]) -> Html:
    where = f"{top}/" if top else "the output directory itself"
    whole = sum(row[2].value for row in rows)
    return tag(
        "details",
        tag("summary", f"{where} \N{EN DASH} {plural(len(rows), 'file')}, {size(whole)}"),
        table(f"Files in {where}", ["file", "kind", "size"], rows),
        open=not top,
    )
