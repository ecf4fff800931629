"""Building blocks of compiled code: compilation itself and counter-based random numbers."""
