-- Grain: one row per ticket that the figure counts.
-- Which tickets are behind last week's reopen rate?
-- The newest finished week is taken; write a Monday in place of it to look at another. The conditions are those of the
-- indicator's page: its date (`first_solved_date`), its denominator and its exclusions. So the rows number
-- `denominator` and those with `is_in_numerator` number `numerator`; for a team, add its segment to both parts.
WITH figures AS (
  SELECT
    period_start,
    value,
    numerator,
    denominator,
    state
  FROM indicators.indicator_values
  WHERE
    indicator = 'reopen_rate'
    AND grain = 'week'
    AND segment_id = 'all'
    AND period_start = (
      SELECT MAX(period_start)
      FROM indicators.indicator_values
      WHERE indicator = 'reopen_rate' AND grain = 'week' AND segment_id = 'all' AND state <> 'incomplete'
    )
)

SELECT
  figures.period_start,
  figures.value,
  figures.numerator,
  figures.denominator,
  figures.state,
  tickets.ticket_id,
  tickets.first_solved_date,
  tickets.reopen_count,
  tickets.reopen_count > 0 AS is_in_numerator
FROM figures
INNER JOIN core.reporting_days AS days ON figures.period_start = days.week_start_date
INNER JOIN core.tickets AS tickets ON days.reporting_date = tickets.first_solved_date
WHERE
  NOT tickets.is_deleted
  AND NOT tickets.is_merged
  AND NOT tickets.is_spam
  AND NOT tickets.is_bot_only
ORDER BY is_in_numerator DESC, tickets.ticket_id
