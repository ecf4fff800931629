"""Scores of the baselines, kept in the user's cache: runs of one configuration and one set of images share them."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pooch

from stdpnet.errors import RunError
from stdpnet.runs.files import read_json, write_text
from stdpnet.runs.schema import ScoreTable, adapter
from stdpnet_analysis.identity import code_digest

REMEDY = "it may be removed"


def kept(decides: Mapping[str, Any], compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the scores of a baseline from the cache, or compute and keep them.

    If the cache cannot be read or written, the scores are computed every time.

    Parameters
    ----------
    decides : all that decides the scores, beside the code and the versions of libraries; can be written as JSON
    compute : returns the scores, a table as in scores.json
    """
    parts = json.dumps({"code": code_digest(), **decides}, sort_keys=True)
    path = folder() / f"{hashlib.sha256(parts.encode()).hexdigest()[:32]}.json"
    with contextlib.suppress(RunError):
        found: dict[str, Any] = read_json(path, ScoreTable, REMEDY)
        return found
    text = json.dumps(compute())
    with contextlib.suppress(OSError, RunError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    scores: dict[str, Any] = adapter(ScoreTable).validate_json(text)  # the same order of keys as from the cache
    return scores


def folder() -> Path:
    """Return the folder of the cache."""
    return Path(pooch.os_cache("stdpnet")) / "baselines"
