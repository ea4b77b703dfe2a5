"""Installs what only the benchmarks need, below ``.local`` and away from the project's own."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from shutil import which

PROJECT = Path(__file__).parents[2]
DYNALITE_VERSION = "4.0.0"
AWSWRANGLER_VERSION = "3.17.1"


def dynalite() -> Path:
    """Return the program dynalite; npm installs it at the first time."""
    directory = PROJECT / ".local" / "dynalite"
    program = directory / "node_modules" / "dynalite" / "cli.js"
    if not program.is_file():
        npm = which("npm")
        if npm is None:
            raise SystemExit("dynalite is installed with npm, which is not on the PATH")
        directory.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        command = [npm, "install", *quiet, f"dynalite@{DYNALITE_VERSION}"]
        subprocess.run(command, cwd=directory, check=True, stdout=sys.stderr)
    return program


def awswrangler() -> Path:
    """Return an interpreter with awswrangler; uv makes its environment at the first time.

    It has the same boto3 as the project, so that the two are compared and not their clients.
    """
    directory = PROJECT / ".local" / f"awswrangler-{AWSWRANGLER_VERSION}"
    python = directory / "bin" / "python"
    if not (directory / "complete").is_file():
        uv = str(Path(sys.executable).parent / "uv")
        own = ["--python", sys.executable, "--quiet", "--clear"]
        subprocess.run([uv, "venv", *own, str(directory)], check=True)
        packages = [f"awswrangler=={AWSWRANGLER_VERSION}", f"boto3=={version('boto3')}"]
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
        subprocess.run([*install, *packages], check=True)
        (directory / "complete").touch()
    return python
