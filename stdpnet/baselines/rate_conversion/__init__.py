"""Rate-conversion networks: a ReLU network learned from labels, whose hidden units answer with spikes."""
