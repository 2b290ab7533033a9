"""What happens once a day is over: what a platform started on it is told to it again as a whole, and what was reported
is audited."""
