"""Published tables, computed again and put beside what was published."""
