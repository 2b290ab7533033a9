"""The station catalog from a file: how it is read and checked, and what of it goes onto `station-catalog`."""
