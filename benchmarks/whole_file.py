"""Files of long runs: whole or not there."""

import pathlib


def write_whole(path, content):
    """Writes text or bytes; a run that is killed leaves what was there before."""
    path = pathlib.Path(path)
    half = path.with_name(path.name + ".half")
    half.write_bytes(content.encode() if isinstance(content, str) else content)
    half.replace(path)
