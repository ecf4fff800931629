"""The ReLU network behind a rate-conversion network in plain NumPy."""

import numpy as np


def plain_scores(state, pictures):
    """Return the output of the ReLU network, as a textbook has it."""
    x = pictures.reshape(len(pictures), -1) / 255
    hidden = np.maximum(x @ state.arrays["hidden_weights"] + state.arrays["hidden_bias"], 0)
    return hidden @ state.arrays["output_weights"] + state.arrays["output_bias"]
