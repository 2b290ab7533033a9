"""Where it runs: the `evcs` command line, the local stack, the simulators."""
