"""Tables and figures of the thesis, computed again; the scripts that write them are in analysis/paper."""
