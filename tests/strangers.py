"""Another user of the machine, whom tests become where they may."""

import os
from pathlib import Path

import numpy as np
import pytest

import stdpnet

NOBODY = 65534


def require_shared_libraries():
    """Skip a test that becomes another user where that user could not read the libraries or this clone."""
    for module in (np, stdpnet):
        path = Path(module.__file__).resolve()
        if os.geteuid() == 0 and not all(each.stat().st_mode & 0o001 for each in path.parents):
            pytest.skip(f"{path} cannot be read by another user, who would not be able to import it")


def become_stranger():
    """Become a user who owns nothing, if that is permitted."""
    if os.geteuid() == 0:  # who may read and write everything
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
