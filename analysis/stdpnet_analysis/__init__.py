"""Analysis of trained models: read-outs, scores, comparisons, figures, reports, studies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stdpnet_analysis.evaluation import evaluate

__all__ = ["evaluate"]


def __getattr__(name: str) -> Any:
    """Import `evaluate` when it is first used, so that light modules of this package load without scikit-learn."""
    if name != "evaluate":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stdpnet_analysis.evaluation import evaluate

    return evaluate
