"""Which datasets of events the catalog knows as assets.

DataZone links a dataset of an event to an asset only when the source identifiers are equal, so a
name that differs by a letter leaves the asset without lineage and says nothing.

.. seealso:: "Linking dataset nodes to assets" in the Amazon DataZone user guide.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping

from updraft.lineage.diagnosis.findings import Finding, ok, warning
from updraft.lineage.naming import DatasetName

_CHECK = "assets"
_SHOWN = 10  # names in a message
_LIKE = 0.75  # of one, how much two identifiers have to share


def source_identifier(dataset: DatasetName) -> str:
    """Give the identifier that the catalog makes of a dataset.

    :param dataset: its name, as the forwarder posts it.
    :returns: ``<namespace>/<name>``.
    """
    return f"{dataset.namespace}/{dataset.name}"


def diagnose_assets(
    datasets: Mapping[DatasetName, int], identifiers: Collection[str]
) -> Iterator[Finding]:
    """Compare the datasets of events with the assets of the catalog.

    :param datasets: number of mentions of each dataset.
    :param identifiers: source identifiers of the assets.
    :returns: how many are assets; those that no asset has, most mentioned first, each with the
        asset that is most like it.
    """
    if not datasets:
        return
    known = set(identifiers)
    missing = [
        (number, source_identifier(name))
        for name, number in datasets.items()
        if source_identifier(name) not in known
    ]
    matched = len(datasets) - len(missing)
    yield ok(_CHECK, f"{matched:,} of {len(datasets):,} datasets are assets of the catalog")
    by_folded = {one.casefold(): one for one in known}
    strangers: list[str] = []
    for number, identifier in sorted(missing, key=lambda one: (-one[0], one[1])):
        near = by_folded.get(identifier.casefold()) or next(
            iter(difflib.get_close_matches(identifier, known, n=1, cutoff=_LIKE)), None
        )
        if near is None:
            strangers.append(identifier)
            continue
        yield warning(
            _CHECK,
            f"no asset has the source identifier {identifier} ({number:,} mentions); the nearest "
            f"is {near}",
            "give the dataset the name of the asset, or the asset that source identifier",
        )
    if strangers:
        examples = ", ".join(strangers[:_SHOWN])
        yield warning(
            _CHECK,
            f"{len(strangers):,} datasets are like no asset: {examples}",
            "let a data source bring in what is to be found in the catalog",
        )
