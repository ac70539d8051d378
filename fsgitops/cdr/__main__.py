"""`python -m fsgitops.cdr`: the same as `fsgitops-cdr`."""

from fsgitops.cdr.cli import main

main()
