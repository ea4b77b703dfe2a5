"""The templates of the reports."""

from functools import cache
from importlib import resources

import jinja2

_FOLDER = "templates"


def _cell(value: object) -> str:
    """Make a value fit for a cell of a Markdown table."""
    text = "-" if value is None else str(value)
    for sign in "\\|<":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\r", "").replace("\n", "<br>")


@cache
def markdown_template(name: str) -> jinja2.Template:
    """Load a template of Markdown.

    :param name: its file.
    :returns: the template, in which ``cell`` makes a value fit for a table.
    """
    # The report is Markdown, not HTML: escaping would only spoil it.
    environment = jinja2.Environment(  # noqa: S701 no HTML
        loader=jinja2.PackageLoader("updraft.migration.reporting", _FOLDER),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template(name)


@cache
def html_template(name: str) -> jinja2.Template:
    """Load a template of HTML: whatever it is given comes out as text.

    :param name: its file.
    :returns: the template.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("updraft.migration.reporting", _FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)


def asset(name: str) -> str:
    """Read a file that goes into a page as it is.

    :param name: its name.
    :returns: its text.
    """
    source = resources.files("updraft.migration.reporting").joinpath(_FOLDER, name)
    return source.read_text("utf-8")
