"""Services that the local stack executes itself, a module or package for each."""
