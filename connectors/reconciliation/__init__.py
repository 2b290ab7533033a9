"""The nightly check: what a platform started on a day is told to it again as a whole, and what it contests is kept."""
