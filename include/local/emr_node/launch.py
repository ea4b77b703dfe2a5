"""Start a program of the node: ``python launch.py PROGRAM ARGUMENTS…``."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[3])  # the directory of this file was there

from include.local.bootstrap import SetupError  # noqa: E402 - found by the line above
from include.local.emr_node import programs  # noqa: E402
from include.local.emr_node.refusal import RefusedError  # noqa: E402
from include.local.gateway.execution.objects import FetchError  # noqa: E402


def main() -> int:
    """Run the program.

    :returns: its exit code.
    """
    name, arguments = sys.argv[1], sys.argv[2:]
    sys.stdout.flush()
    try:
        return programs.PROGRAMS[name](arguments)
    except (FetchError, RefusedError, SetupError) as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
