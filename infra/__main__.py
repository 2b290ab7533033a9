"""`python -m infra` is `evcs`."""

from infra.cli import main

main()
