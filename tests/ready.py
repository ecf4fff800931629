"""What the programs of the tests would all do when they start; the server that they are forked from imports it."""

import gc

import stdpnet_analysis.cluster.forked  # noqa: F401
from stdpnet.cli import _command
from stdpnet.data.digits import _scaled_up
from stdpnet.model import presets

_command()
_scaled_up()
presets()
gc.freeze()
