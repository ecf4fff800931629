"""`python -m stdpnet` is `stdpnet`."""

from stdpnet.cli import main

main()
