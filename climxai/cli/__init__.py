"""The command line: thin commands that parse, call one stage and print."""
