-- Records of which views compute durations and sums: those whose instants are none, or whose amounts have more digits
-- than are declared, are refused, so that they become dead letters with their reason. ClickHouse itself looks at
-- neither, and its dates wrap around: an order that ended in 2106 would count as too old, and be dropped. What is before
-- 1987 the streams refuse as well; up to 2100 the end of an order's retention is an instant, too.
--
-- These are few records. Samples, of which there are many, are not checked: connector_hours leaves out what is none.
ALTER TABLE $database.orders ADD CONSTRAINT IF NOT EXISTS instants_are_from_1987_to_2099 CHECK arrayAll(
    at -> at >= toDateTime64('1987-06-04 00:00:00', 3, 'UTC') AND at < toDateTime64('2100-01-01 00:00:00', 3, 'UTC'),
    arrayConcat([started_at, ended_at], `periods.started_at`, `periods.ended_at`));

ALTER TABLE $database.orders ADD CONSTRAINT IF NOT EXISTS amounts_have_12_digits_before_the_point CHECK arrayAll(
    amount -> amount > -1000000000000 AND amount < 1000000000000,
    arrayConcat(
        [energy_kwh, elec_money, service_money, total_money, meter_start_kwh, meter_end_kwh],
        `periods.energy_kwh`, `periods.elec_money`, `periods.service_money`));

ALTER TABLE $database.orders ADD CONSTRAINT IF NOT EXISTS prices_have_6_digits_before_the_point CHECK arrayAll(
    price -> price > -1000000 AND price < 1000000, arrayConcat(`periods.elec_price`, `periods.service_price`));

ALTER TABLE $database.orders ADD CONSTRAINT IF NOT EXISTS power_has_7_digits_before_the_point CHECK
    connector_power_kw > -10000000 AND connector_power_kw < 10000000;

ALTER TABLE $database.charge_progress ADD CONSTRAINT IF NOT EXISTS instants_are_from_1987_to_2099 CHECK arrayAll(
    at -> at >= toDateTime64('1987-06-04 00:00:00', 3, 'UTC') AND at < toDateTime64('2100-01-01 00:00:00', 3, 'UTC'),
    [started_at, due_at, observed_at]);

ALTER TABLE $database.attempts ADD CONSTRAINT IF NOT EXISTS instants_are_from_1987_to_2099 CHECK arrayAll(
    at -> at >= toDateTime64('1987-06-04 00:00:00', 3, 'UTC') AND at < toDateTime64('2100-01-01 00:00:00', 3, 'UTC'),
    [due_at, started_at, ifNull(next_due_at, started_at)]);

ALTER TABLE $database.disputes ADD CONSTRAINT IF NOT EXISTS instants_are_from_1987_to_2099 CHECK
    disputed_at >= toDateTime64('1987-06-04 00:00:00', 3, 'UTC')
    AND disputed_at < toDateTime64('2100-01-01 00:00:00', 3, 'UTC');

ALTER TABLE $database.disputes ADD CONSTRAINT IF NOT EXISTS amounts_have_12_digits_before_the_point CHECK arrayAll(
    amount -> amount > -1000000000000 AND amount < 1000000000000, [energy_kwh, total_money]);
