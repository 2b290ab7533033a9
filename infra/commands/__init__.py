"""One file per `evcs` command; each exposes a click command called `command`."""
