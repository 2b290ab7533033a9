"""The demo: the whole run on one machine, watched from outside."""
