"""One file per interface that the operator serves for platforms: what is asked and what is answered, without I/O.

A new file with INTERFACE in it is a new interface.
"""
