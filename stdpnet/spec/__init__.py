"""The tables of a configuration that all models share, and how configurations are read and written."""
