"""Building blocks of compiled code: how functions are compiled and cached, and counter-based random numbers."""
