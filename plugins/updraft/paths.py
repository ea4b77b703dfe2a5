"""Where the files are that belong to Updraft but are no modules."""

from pathlib import Path

from updraft.errors import UpdraftError

_LIBRARY = Path(__file__).resolve().parent


def include_directory(library: Path = _LIBRARY) -> Path:
    """Find the ``include`` directory: sample definitions, SQL, scripts.

    In a checkout it stands beside ``plugins``. MWAA deploys no such directory, so packaging puts
    it into ``plugins.zip``, where it stands beside the library.

    :param library: directory of the ``updraft`` package; only tests set it.
    :returns: the directory, absolute.
    :raises UpdraftError: when it is in neither place.
    """
    packaged, checkout = library.parent / "include", library.parent.parent / "include"
    for directory in (packaged, checkout):
        if directory.is_dir():
            return directory
    raise UpdraftError(
        f"The directory 'include' is missing: it is neither {packaged} nor {checkout}; "
        "run Updraft from a checkout or from a plugins.zip made by `updraft package`"
    )
