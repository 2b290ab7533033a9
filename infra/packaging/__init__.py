"""How the project is packed for the machines that run it."""
