"""Details against totals: the tariff periods of each order, energy and money, to the cent."""

from connectors.reconciliation.audit.asking import Queries, Scale, Span, figure
from connectors.reconciliation.audit.figures import Figure

COMPARISON = "sums"

# An order without periods has sums of 0. What differs is told by name, the details' sum as what was expected.
_JUDGING = """
    (name, amount) -> concat(name, ' ', toDecimalString(amount, 2)) AS told,
    compared AS
    (
        SELECT
            start_charge_seq AS key,
            connector_id,
            billed,
            flags,
            arrayFilter(one -> one.2 != one.3, [
                ('energy', toDecimal128(energy_kwh, 2), toDecimal128(arraySum(`periods.energy_kwh`), 2)),
                ('electricity', toDecimal128(elec_money, 2), toDecimal128(arraySum(`periods.elec_money`), 2)),
                ('service', toDecimal128(service_money, 2), toDecimal128(arraySum(`periods.service_money`), 2)),
                ('total', toDecimal128(total_money, 2), toDecimal128(elec_money + service_money, 2))]) AS differing
        FROM ended
    ),
    judged AS
    (
        SELECT
            key,
            connector_id,
            empty(differing) AS is_right,
            arrayMax(arrayMap(one -> abs(one.2 - one.3), differing)) AS off,
            arrayStringConcat(arrayMap(one -> told(one.1, one.3), differing), ', ') AS expected,
            arrayStringConcat(arrayMap(one -> told(one.1, one.2), differing), ', ') AS found,
            arrayStringConcat(arrayPushFront(CAST(flags, 'Array(String)'), if(billed, 'billed', 'computed')), ', ')
                AS detail
        FROM compared
    )
"""


def sums(warehouse: Queries, span: Span, scale: Scale) -> Figure:
    """Raises WarehouseError."""
    return figure(warehouse, COMPARISON, _JUDGING, span.parameters(), scale.worst)
