"""Building blocks of compiled code: how functions are compiled and cached, and counter-based random numbers."""

import os
import sys

from stdpnet.errors import EngineError

if "numba" not in sys.modules and os.path.lexists(".numba_config.yaml"):
    raise EngineError(
        f"{os.getcwd()}/.numba_config.yaml: numba would obey it, and it may name a folder of machine code to run; "
        "call stdpnet from another folder, and set numba's environment variables instead"
    )
if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
    raise EngineError("NUMBA_DISABLE_JIT: is set, and stdpnet needs compiled code; unset it")
