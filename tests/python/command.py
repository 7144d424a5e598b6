"""Runs the program `tokensieve` as its users run it.

TOKENSIEVE_CLI names the program; otherwise it is the one that the wheel put beside this Python, or the
one on PATH.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest


def program():
    beside = shutil.which("tokensieve", path=os.path.dirname(sys.executable))
    path = os.environ.get("TOKENSIEVE_CLI") or beside or shutil.which("tokensieve")
    if path is None:
        pytest.fail("no program to test: set TOKENSIEVE_CLI to the built `tokensieve`")
    return path


def run(*arguments, code=0, cwd=None, **environment):
    """Runs the program, checks its exit code, returns the finished process."""
    variables = {k: v for k, v in os.environ.items() if k != "TOKENSIEVE_MODEL"} | environment
    done = subprocess.run(
        [program(), *map(str, arguments)], capture_output=True, text=True, cwd=cwd, env=variables
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    if code != 0:
        assert done.stdout == ""
        assert done.stderr.startswith("tokensieve: "), done.stderr
    return done


def run_json(*arguments, **options):
    command, *rest = arguments
    return json.loads(run(command, "--json", *rest, **options).stdout)
