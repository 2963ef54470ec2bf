"""`python -m pictrace`: the command line."""

from pictrace.cli import main

main(prog_name="pictrace")
