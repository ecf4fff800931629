"""Parts that all networks with labels share: mini-batches, an optimiser, and the learner that a job drives."""
