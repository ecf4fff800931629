"""What networks that learn from labels share: mini-batches, an optimiser, and a learner that a job drives."""
