"""Runs the `tokensieve` program that comes with the package."""

import os
import pathlib
import sys


def main() -> None:
    """Replaces this process by the program, with the same arguments."""
    program = pathlib.Path(__file__).with_name("bin") / "tokensieve"
    if not program.exists():
        sys.exit("tokensieve: this build has no command line program (CLI11 was missing)")
    os.execv(program, ["tokensieve", *sys.argv[1:]])
