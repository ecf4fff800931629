"""Other ways of learning, to compare STDP with; each is a module or a folder of its own."""
