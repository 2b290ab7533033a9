"""StartChargeSeq of the simulated operator."""

from infra.simulator.fleet.sequences import MAX_CONNECTORS, OPERATOR_ID, start_charge_seq


def test_a_seq_is_operator_then_beijing_time_then_connector() -> None:
    seq = start_charge_seq(OPERATOR_ID, 1_767_196_800_999, 37)
    assert seq == OPERATOR_ID + "260101000000" + "C00011"
    assert len(seq) == 27


def test_seqs_differ_between_connectors_and_seconds() -> None:
    made = {start_charge_seq(OPERATOR_ID, ms, n) for ms in (0, 1000) for n in range(0, MAX_CONNECTORS, 997)}
    assert len(made) == 2 * len(range(0, MAX_CONNECTORS, 997))
