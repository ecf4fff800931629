"""The status of a run, derived from its events."""

from __future__ import annotations

from typing import Any, Literal

Status = Literal["running", "finished", "stopped", "failed", "new"]


def status_after(event: dict[str, Any] | None) -> Status:
    """Return the status of a run that no process writes, from the last row of its events."""
    if event is None:
        return "new"
    name = event["event"]
    return name if name in ("finished", "stopped") else "failed"
