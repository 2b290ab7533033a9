"""Stand-ins for the parties outside: what the operator's side talks to when no real one is there."""
