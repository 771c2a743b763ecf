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
    channels.service_kind = 'people' AND channels.channel = 'shared' AS is_shared,
    {{ sql.cast('COALESCE(own_costs.amount, 0)', 'double') }} AS own_amount,
    COALESCE(contacts.contact_count, 0) AS contact_count,
    {{ sql.cast('COALESCE(shared_costs.amount, 0)', 'double') }} AS shared_amount,
    COALESCE(people_months.contact_count, 0) AS people_contact_count
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
)

SELECT
  month_start_date,
  service_kind,
  channel,
  own_amount,
  CASE
    WHEN service_kind = 'people' AND people_contact_count > 0
      THEN shared_amount * contact_count / people_contact_count - CASE WHEN is_shared THEN own_amount ELSE 0 END
    ELSE 0
  END AS shared_amount,
  own_amount + CASE
    WHEN service_kind = 'people' AND people_contact_count > 0
      THEN shared_amount * contact_count / people_contact_count - CASE WHEN is_shared THEN own_amount ELSE 0 END
    ELSE 0
  END AS loaded_amount,
  contact_count
FROM shares
