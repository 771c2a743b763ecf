-- Grain: one row per cost posting.
SELECT
  cost_id,
  posted_date,
  {{ sql.period_start('month', 'posted_date') }} AS month_start_date,
  kind,
  CASE
    WHEN channel IN ({{ sql.text_list(cost_model.bot_channels) }}) THEN 'bot'
    WHEN channel IN ({{ sql.text_list(cost_model.self_service_channels) }}) THEN 'self_service'
    ELSE 'people'
  END AS service_kind,
  COALESCE(channel, 'shared') AS channel,
  COALESCE(team_id, 'shared') AS team_id,
  amount,
  currency,
  currency <> {{ sql.text_list([cost_model.currency]) }} AS is_other_currency
FROM staging.costs
WHERE deleted_at IS NULL
