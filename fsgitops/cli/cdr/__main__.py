"""`python -m fsgitops.cli.cdr`: the same as `fsgitops-cdr`."""

from fsgitops.cli.cdr import main

main()
