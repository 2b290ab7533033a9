-- Orders for people, each once, without FINAL, in Beijing's time. What is asked of a day, an instant or a key is looked
-- up, as in the tables.
--
-- Customers' names are left out. An order that comes again has the same end, so it lies in the same month: what is not
-- of the months that are asked for need not be read. No row may stop a query: a duration ends at so many seconds as its
-- column holds.
CREATE OR REPLACE VIEW $database.charge_orders
(
    start_charge_seq String COMMENT 'StartChargeSeq, no unit',
    station_id String COMMENT 'StationID, no unit',
    equipment_id String COMMENT 'EquipmentID, no unit',
    connector_id String COMMENT 'ConnectorID, no unit',
    charge_model Int32 COMMENT 'What started the charge, no unit: 0 unknown, 1 city platform, 2 card, 3 other without card',
    day Date COMMENT 'Day of the end, Beijing time',
    started_at DateTime64(3, 'Asia/Shanghai') COMMENT 'Start of the charge, Beijing time, to the ms',
    ended_at DateTime64(3, 'Asia/Shanghai') COMMENT 'End of the charge, Beijing time, to the ms',
    duration_s Decimal(18, 3) COMMENT 'From start to end, s',
    energy_kwh Decimal(14, 2) COMMENT 'Energy, kWh',
    average_power_kw Nullable(Float64) COMMENT 'Energy by duration, kW: null without a duration',
    elec_money Decimal(14, 2) COMMENT 'Money for electricity, CNY',
    service_money Decimal(14, 2) COMMENT 'Money for service, CNY',
    total_money Decimal(14, 2) COMMENT 'Money in all, CNY: as billed, even where its parts add up to something else',
    stop_reason Int32 COMMENT 'StopReason, no unit: 99 if not reported',
    tariff_periods UInt64 COMMENT 'Tariff periods that it touches, counted from 1',
    meter_start_kwh Decimal(14, 2) COMMENT 'Register at the start, kWh',
    meter_end_kwh Decimal(14, 2) COMMENT 'Register at the end, kWh',
    connector_power_kw Decimal(8, 1) COMMENT 'Rated power of the connector, kW: 0 if unknown',
    billed Bool COMMENT 'Whether the amounts are those of the back office, no unit',
    flags Array(LowCardinality(String)) COMMENT 'What is remarkable about the order, no unit'
)
AS WITH
    ms -> toDecimal64(greatest(least(ms, 999999999999999), -999999999999999), 3) / 1000 AS seconds
SELECT
    start_charge_seq,
    station_id,
    equipment_id,
    connector_id,
    charge_model,
    toDate(ended_at, 'Asia/Shanghai') AS day,
    toTimeZone(started_at, 'Asia/Shanghai') AS started_at,
    toTimeZone(ended_at, 'Asia/Shanghai') AS ended_at,
    seconds(dateDiff('ms', started_at, ended_at)) AS duration_s,
    energy_kwh,
    toFloat64(energy_kwh) * 3600 / nullIf(toFloat64(duration_s), 0) AS average_power_kw,
    elec_money,
    service_money,
    total_money,
    stop_reason,
    length(periods.started_at) AS tariff_periods,
    meter_start_kwh,
    meter_end_kwh,
    connector_power_kw,
    billed,
    flags
FROM $database.orders FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Finalized orders, one per StartChargeSeq, of the day on which they ended';
