"""The `updraft` command, one module per subcommand."""
