"""The rules: pure functions and state, with `now` and every setting as arguments."""
