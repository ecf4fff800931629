"""Other ways of learning, to compare STDP with: one module or folder for each."""
