"""The reference engine (Brian2)."""
