"""Which answers are known again, and which are not."""

from connectors.delivery.known_answers import KnownAnswers


def test_the_same_bytes_mean_the_same() -> None:
    known = KnownAnswers[str]()
    assert known.find(b"yes") is None
    known.add(b"yes", "taken")
    assert known.find(b"yes") == "taken"
    assert known.find(b"yes ") is None


def test_what_was_not_met_lately_is_forgotten() -> None:
    known = KnownAnswers[int](known=10)
    known.add(b"often", -1)
    for number in range(1000):
        known.add(b"%d" % number, number)
        assert known.find(b"often") == -1
    assert known.find(b"985") is None
    assert [known.find(b"%d" % number) for number in range(992, 1000)] == list(range(992, 1000))


def test_a_long_answer_is_not_kept() -> None:
    known = KnownAnswers[str]()
    known.add(b"x" * 513, "taken")
    assert known.find(b"x" * 513) is None
    known.add(b"x" * 512, "taken")
    assert known.find(b"x" * 512) == "taken"
