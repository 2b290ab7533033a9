"""One file per interface that is pushed to platforms; a new file with INTERFACE in it is a new interface."""
