"""Training, responses and sweeps on the processes of a dask.distributed cluster, on this machine or on many."""

from stdpnet.extras import require

require("sweeps")
