-- Grain: one row per month, kind of service and channel: what it cost, fully loaded, and how many contacts it had.
-- Costs that name no channel are shared by the channels of people, by their contacts of the month; in a month without
-- any they stand under the channel 'shared'. All rows of a month add up to its postings.
WITH own_costs AS (
  SELECT
    month_start_date,
    service_kind,
    CASE WHEN service_kind = 'people' THEN channel ELSE service_kind END AS channel,
    SUM(amount) AS amount
  FROM core.costs
  WHERE NOT is_other_currency
  GROUP BY month_start_date, service_kind, CASE WHEN service_kind = 'people' THEN channel ELSE service_kind END
),

contacts AS (
  SELECT
    {{ sql.period_start('month', 'contact_date') }} AS month_start_date,
    service_kind,
    channel,
    SUM(contact_count) AS contact_count
  FROM core.channel_days
  GROUP BY {{ sql.period_start('month', 'contact_date') }}, service_kind, channel
),

people_months AS (
  SELECT
    month_start_date,
    SUM(contact_count) AS contact_count
  FROM contacts
  WHERE service_kind = 'people'
  GROUP BY month_start_date
),

channels AS (
  SELECT
    month_start_date,
    service_kind,
    channel
  FROM own_costs
  UNION
  SELECT
    month_start_date,
    service_kind,
    channel
  FROM contacts
),

shares AS (
  SELECT
    channels.month_start_date,
    channels.service_kind,
    channels.channel,
    COALESCE(own_costs.amount, 0) AS own_amount,
    COALESCE(contacts.contact_count, 0) AS contact_count,
    CASE
      WHEN channels.service_kind = 'people' AND channels.channel <> 'shared'
        THEN {{ sql.cast(
          'COALESCE(shared_costs.amount, 0) * ' ~ sql.ratio('contacts.contact_count', 'people_months.contact_count'),
          'decimal'
        ) }}
    END AS taken_amount
  FROM channels
  LEFT JOIN own_costs
    ON channels.month_start_date = own_costs.month_start_date
    AND channels.service_kind = own_costs.service_kind
    AND channels.channel = own_costs.channel
  LEFT JOIN contacts
    ON channels.month_start_date = contacts.month_start_date
    AND channels.service_kind = contacts.service_kind
    AND channels.channel = contacts.channel
  LEFT JOIN own_costs AS shared_costs
    ON channels.month_start_date = shared_costs.month_start_date
    AND shared_costs.service_kind = 'people'
    AND shared_costs.channel = 'shared'
  LEFT JOIN people_months ON channels.month_start_date = people_months.month_start_date
),

-- What the channels take is taken from 'shared', to the last digit: a remainder of rounding stays there.
moved AS (
  SELECT
    *,
    CASE
      WHEN service_kind = 'people' AND channel = 'shared'
        THEN -COALESCE(SUM(taken_amount) OVER (PARTITION BY month_start_date), 0)
      ELSE COALESCE(taken_amount, 0)
    END AS shared_amount
  FROM shares
)

SELECT
  month_start_date,
  service_kind,
  channel,
  own_amount,
  shared_amount,
  own_amount + shared_amount AS loaded_amount,
  contact_count
FROM moved
