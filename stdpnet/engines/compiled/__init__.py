"""The compiled engine (numba)."""
