"""A bar on standard error."""

from __future__ import annotations

import sys
import time


class Progress:
    """One line on standard error: share done, time left."""

    def __init__(self, what: str, total: int, shown: bool) -> None:
        self._what, self._total, self._shown = what, total, shown
        self._started = time.monotonic()

    def show(self, done: int) -> None:
        if not self._shown:
            return
        left = (time.monotonic() - self._started) / done * (self._total - done)
        filled = "#" * (30 * done // self._total)
        print(
            f"\r{self._what} [{filled:<30}] {done}/{self._total}, {left:4.0f} s left",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def close(self) -> None:
        if self._shown:
            print(file=sys.stderr)
