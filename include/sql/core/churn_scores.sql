-- Grain: one row per account and Monday on which it was a customer, scored by the churn rule.
-- A score is made of the {{ churn.look_back_weeks }} full weeks before its Monday and of what the CRM said that morning
-- (known_at): nothing looks ahead. What became of it within {{ churn.horizon_weeks }} weeks stands beside it.
WITH known_weeks AS (
  SELECT
    MIN(week_start_date) AS first_week_date,
    MAX(week_start_date) AS last_week_date
  FROM core.account_weeks
),

mondays AS (
  SELECT
    days.reporting_date AS scored_date,
    days.started_at AS known_at,
    days.reporting_date = known_weeks.last_week_date AS is_newest
  FROM core.reporting_days AS days
  CROSS JOIN known_weeks
  WHERE
    days.reporting_date = days.week_start_date
    AND days.reporting_date > known_weeks.first_week_date
    AND days.reporting_date <= known_weeks.last_week_date
),

looks_back AS (
  SELECT
    accounts.account_id,
    mondays.scored_date,
    mondays.known_at,
    mondays.is_newest,
    {% for name in ('ticket', 'urgent_ticket', 'sla_breach', 'complaint', 'low_csat', 'detractor') %}
    CAST(SUM(COALESCE(weeks.{{ name }}_count, 0)) OVER look_back AS INTEGER) AS {{ name }}_count{{ ',' if not loop.last }}
    {% endfor %}
  FROM core.accounts AS accounts
  CROSS JOIN mondays
  LEFT JOIN core.account_weeks AS weeks
    ON accounts.account_id = weeks.account_id AND mondays.scored_date - 7 = weeks.week_start_date
  WHERE NOT accounts.is_deleted
  WINDOW look_back AS (
    PARTITION BY accounts.account_id
    ORDER BY mondays.scored_date
    ROWS BETWEEN {{ churn.look_back_weeks - 1 }} PRECEDING AND CURRENT ROW
  )
),

features AS (
  SELECT
    looks_back.*,
    churns.churned_date,
    -- Counted by: what is told of an account, reaching back where nothing older is known.
    COALESCE(told.tier, accounts.tier) AS account_tier,
    COALESCE(told.segment, accounts.segment, 'unknown') AS market_segment,
    COALESCE(accounts.region, 'unknown') AS region,
    COALESCE(told.annual_value, accounts.annual_value) AS told_annual_value,
    -- Scored by: only what was known that morning.
    COALESCE(versions.tier, 'unknown') AS tier,
    COALESCE(versions.segment, 'unknown') AS segment,
    CASE WHEN versions.status <> 'churned' THEN versions.status ELSE 'unknown' END AS status,
    {{ sql.cast('versions.annual_value', 'double') }} AS annual_value,
    CAST(versions.renewal_date - looks_back.scored_date AS INTEGER) AS renewal_day_count,
    CAST(looks_back.scored_date - accounts.started_date AS INTEGER) AS tenure_day_count
  FROM looks_back
  INNER JOIN core.accounts AS accounts ON looks_back.account_id = accounts.account_id
  LEFT JOIN core.account_versions AS told
    ON looks_back.account_id = told.account_id
    AND looks_back.known_at >= told.valid_from
    AND looks_back.known_at < told.valid_to
  LEFT JOIN core.account_versions AS versions
    ON looks_back.account_id = versions.account_id
    AND looks_back.known_at >= versions.known_from
    AND looks_back.known_at < versions.valid_to
  LEFT JOIN core.account_churns AS churns ON looks_back.account_id = churns.account_id
  WHERE
    (accounts.started_date IS NULL OR accounts.started_date <= looks_back.scored_date)
    -- Of an account that left on an unknown day nobody knows whether it was still there.
    AND (churns.account_id IS NULL OR churns.churned_date > looks_back.scored_date)
    AND COALESCE(versions.status, 'unknown') <> 'prospect'
),

answered_conditions AS (
  SELECT
    *,
    {% for condition in churn.conditions %}
    COALESCE(
      TRUE
      {%- for column, sign, bound in churn_bounds(condition) %} AND {{ column }} {{ sign }} {{ bound }}{% endfor %}
      {%- for column in ('status', 'tier', 'segment') if condition[column] %} AND {{ column }} IN ({{ sql.text_list(condition[column]) }}){% endfor %},
      FALSE
    ) AS holds_{{ loop.index }}{{ ',' if not loop.last }}
    {% endfor %}
  FROM features
),

pointed AS (
  SELECT
    *,
    {% for condition in churn.conditions %}
    CASE WHEN holds_{{ loop.index }} THEN {{ condition.points }} ELSE 0 END{{ ' +' if not loop.last }}
    {% endfor %}
    AS points,
    {% for condition in churn.conditions %}
    CASE WHEN holds_{{ loop.index }} THEN '{{ condition.id }},' ELSE '' END{{ ' ||' if not loop.last }}
    {% endfor %}
    AS reasons
  FROM answered_conditions
),

banded AS (
  SELECT
    *,
    CASE
      {% for band in churn.bands | reverse %}
      WHEN points >= {{ band.from_points }} THEN '{{ band.id }}'
      {% endfor %}
    END AS band,
    CASE
      {% for band in churn.bands | reverse %}
      WHEN points >= {{ band.from_points }} THEN {{ sql.cast(band.probability, 'double') }}
      {% endfor %}
    END AS churn_probability_ratio,
    CASE WHEN churned_date < scored_date + {{ 7 * churn.horizon_weeks }} THEN 1 ELSE 0 END AS churned_count
  FROM pointed
)

SELECT
  account_id,
  scored_date,
  CASE
    WHEN churned_date < scored_date + 7 THEN churned_date
    WHEN NOT is_newest THEN scored_date + 7
  END AS superseded_date,
  known_at,
  {{ churn.version }} AS rule_version,
  scored_date < DATE '{{ churn.valid_from }}' AS is_backcast,
  ticket_count,
  urgent_ticket_count,
  sla_breach_count,
  complaint_count,
  low_csat_count,
  detractor_count,
  renewal_day_count,
  tenure_day_count,
  told_annual_value AS annual_value,
  status,
  account_tier,
  market_segment,
  region,
  points,
  RTRIM(reasons, ',') AS reasons,
  band,
  churn_probability_ratio,
  -- Money and errors stay decimal, so that their sums do not depend on the order of rows.
  {{ sql.cast(sql.cast('churn_probability_ratio', 'decimal') ~ ' * told_annual_value', 'decimal') }} AS value_at_risk,
  scored_date + {{ 7 * churn.horizon_weeks }} AS outcome_date,
  churned_count,
  {{ sql.cast(
    '(' ~ sql.cast('churn_probability_ratio', 'decimal') ~ ' - churned_count) * ('
    ~ sql.cast('churn_probability_ratio', 'decimal') ~ ' - churned_count)', 'decimal'
  ) }} AS squared_error,
  -- Scores of one account a week apart foretell nearly the same: judged are those a whole horizon apart.
  (scored_date - DATE '1970-01-05') % {{ 7 * churn.horizon_weeks }} = 0 AS is_calibration_point
FROM banded
