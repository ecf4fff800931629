"""What was learned: responses, votes, read-outs and scores of trained networks."""

from stdpnet_analysis.evaluation import evaluate

__all__ = ["evaluate"]
