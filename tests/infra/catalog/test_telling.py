"""Of a large catalog something is told every two seconds, of a small one nothing."""

from infra.catalog.telling import Telling


def test_something_every_two_seconds() -> None:
    now, told = [0.0], list[str]()
    telling = Telling(told.append, lambda: now[0])
    telling.checked(1)
    now[0] = 2.0
    telling.checked(4_000)
    telling.checked(4_001)
    now[0] = 3.9
    telling.read(1, 10_000)
    now[0] = 4.0
    telling.read(2_000, 10_000)
    now[0] = 60.0
    telling.written(500, 10_000)
    assert told == [
        "stations checked: 4,000",
        "records of station-catalog read: 2,000 of 10,000",
        "stations written: 500 of 10,000",
    ]
