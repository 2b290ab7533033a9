"""The numbers that commands take: those that one can count to, within bounds."""

import math

import click


class NumberRange(click.FloatRange):
    """A FloatRange without nan, which is neither below nor above any bound, and without inf."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. What is none is a usage error."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
        return number
