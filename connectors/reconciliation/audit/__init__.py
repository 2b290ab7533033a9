"""The audit of a day: how much of what the warehouse holds is right, as rates, with what is not (Beijing V1.1 §3)."""
