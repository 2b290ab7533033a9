"""librdkafka's lines in the log: the first of each kind, then one a minute."""

import logging

from schemas.kafka_log import Seldom, kafka_log


def line(kind: str, client: str, text: str) -> logging.LogRecord:
    """As confluent-kafka writes it."""
    return logging.LogRecord("x", logging.ERROR, "", 0, "%s [%s] %s", (kind, client, text), None)


def test_a_line_of_each_kind_and_client_and_the_next_after_a_minute() -> None:
    now = [0.0]
    seldom = Seldom(every_s=60, clock=lambda: now[0])
    lines = [line("FAIL", "consumer-1", "refused after 0ms"), line("FAIL", "consumer-1", "refused after 1ms")]
    others = [line("FAIL", "producer-2", "refused"), line("MAXPOLL", "consumer-1", "exceeded")]
    assert [seldom.filter(one) for one in lines] == [True, False]
    assert [seldom.filter(one) for one in others] == [True, True]
    now[0] = 59.9
    assert not any(seldom.filter(one) for one in lines + others)
    now[0] = 60.0
    assert [seldom.filter(one) for one in lines] == [True, False]


def test_a_line_of_another_form_is_of_a_kind_of_its_own() -> None:
    seldom = Seldom(clock=lambda: 0.0)
    plain = logging.LogRecord("x", logging.ERROR, "", 0, "plain", None, None)
    assert [seldom.filter(plain), seldom.filter(plain)] == [True, False]


def test_aiokafkas_lines_are_known_by_their_form_and_what_they_name() -> None:
    quiet = Seldom(clock=lambda: 0.0)

    def refused(node: int) -> logging.LogRecord:
        form = "Unable connect to node with id %s: %s"
        return logging.LogRecord("x", logging.ERROR, "", 0, form, (node, OSError(111, "refused")), None)

    def metadata() -> logging.LogRecord:
        return logging.LogRecord("x", logging.ERROR, "", 0, "Unable to update metadata from %s", ([1],), None)

    said = [quiet.filter(one) for one in (refused(1), metadata(), refused(1), metadata(), refused(2))]
    assert said == [True, True, False, False, True]


def test_clients_of_one_module_share_its_filter() -> None:
    logger = kafka_log("tests.some_module")
    assert logger is kafka_log("tests.some_module")
    assert logger.name == "tests.some_module.kafka"
    assert [type(one) for one in logger.filters] == [Seldom]


def test_what_is_remembered_is_bounded() -> None:
    seldom = Seldom(clock=lambda: 0.0)
    assert all(seldom.filter(line("FAIL", f"consumer-{number}", "refused")) for number in range(3_000))
    assert len(seldom._next_at) <= 1_000
