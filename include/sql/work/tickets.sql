-- Grain: one row per ticket that this refresh looks at, with a number that stands for its key while the refresh lasts.
SELECT
  CAST(ROW_NUMBER() OVER () AS INTEGER) AS ticket_number,
  ticket_id,
  source,
  COALESCE(has_complete_events, FALSE) AS is_event_based,
  status,
  priority,
  channel,
  brand,
  topic,
  language,
  {% if sla.asks_for('tag') %}
  tags,
  {% endif %}
  team_id,
  assignee_id,
  customer_id,
  account_id,
  COALESCE(opened_by, 'customer') AS opened_by,
  created_at,
  first_replied_at AS stated_replied_at,
  COALESCE(first_solved_at, solved_at, closed_at) AS stated_first_solved_at,
  COALESCE(solved_at, first_solved_at, closed_at) AS stated_solved_at,
  closed_at AS stated_closed_at,
  solved_at IS NULL AND first_solved_at IS NULL AND closed_at IS NOT NULL AS has_no_solution,
  reopen_count AS stated_reopen_count,
  reassignment_count AS stated_reassignment_count,
  is_sla_met,
  merged_into_ticket_id,
  COALESCE(is_spam, FALSE) AS is_spam,
  COALESCE(is_escalated, FALSE) AS is_escalated,
  deleted_at
FROM {{ rows('staging.tickets') }}
