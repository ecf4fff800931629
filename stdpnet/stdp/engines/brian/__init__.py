"""The reference engine (Brian2)."""

import os
import sys

from stdpnet.errors import EngineError

if "brian2" not in sys.modules and os.path.lexists("brian_preferences"):
    raise EngineError(
        f"{os.getcwd()}/brian_preferences: Brian2 would run what is in this file; call stdpnet from another folder, or "
        "move the file to ~/.brian/user_preferences"
    )
