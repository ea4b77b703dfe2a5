"""The report over all pipelines as one HTML page that needs nothing else."""

import base64
import hashlib
from dataclasses import dataclass

from updraft.migration.ledger import Status
from updraft.migration.reporting.drawing import Picture, draw, without_detours
from updraft.migration.reporting.model import Report
from updraft.migration.reporting.overview import Overview
from updraft.migration.reporting.template_files import asset, html_template


@dataclass(frozen=True)
class Section:
    """What a page shows of one DAG.

    :param anchor: where the page's links lead.
    :param report: its report.
    :param before: the picture of the definition.
    :param after: the picture of the DAG.
    """

    anchor: str
    report: Report
    before: Picture
    after: Picture


def page(overview: Overview) -> str:
    """Write the page. Whatever stands in a definition comes out as text, never as markup.

    :param overview: the report over all pipelines.
    :returns: HTML; the same report gives the same bytes.
    """
    script = asset("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    sections = [
        Section(f"p{number}", report, draw(report.before), draw(without_detours(report.after)))
        for number, report in enumerate(overview.pipelines)
    ]
    return html_template("report.html.j2").render(
        overview=overview,
        sections=sections,
        statuses=list(Status),
        style=asset("report.css"),
        script=script,
        # Nothing but this very script may run, and nothing may be fetched.
        policy=f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
    )
