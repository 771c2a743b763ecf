-- Grain: one row per span of a ticket in which team and priority stayed, with the policy that applies to it.
WITH marks AS (
  SELECT
    spans.ticket_number,
    spans.mark_number,
    spans.kind,
    spans.marked_at,
    LEAD(spans.marked_at) OVER (PARTITION BY spans.ticket_number ORDER BY spans.mark_number) AS next_marked_at,
    NULLIF(COALESCE(spans.team_number, states.initial_team_number), 0) AS team_number,
    NULLIF(COALESCE(spans.priority_number, states.initial_priority_number), 0) AS priority_number
  FROM {{ rows('work.ticket_spans') }} AS spans
  INNER JOIN {{ rows('work.ticket_states') }} AS states ON spans.ticket_number = states.ticket_number
  WHERE spans.mark_number = 1 OR spans.kind IN ({{ kinds.team }}, {{ kinds.priority }})
),

spans AS (
  SELECT
    marks.ticket_number,
    marks.marked_at AS valid_from,
    COALESCE(marks.next_marked_at, {{ sla.never }}) AS valid_to,
    CASE
      WHEN marks.mark_number = 1 THEN 'creation'
      WHEN marks.kind = {{ kinds.team }} THEN 'team'
      ELSE 'priority'
    END AS applied_by,
    marks.team_number,
    marks.priority_number,
    {% if sla.policies %}
    CASE
      {% for number, policy in sla.policies %}
      WHEN {{ sla.conditions(policy, rows('work.event_values')) }} THEN {{ number }}
      {% endfor %}
    END AS policy_number
    {% else %}
    CAST(NULL AS INTEGER) AS policy_number
    {% endif %}
  FROM marks
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON marks.ticket_number = tickets.ticket_number
  {% if sla.asks_for('account_tier') %}
  LEFT JOIN staging.accounts AS own_accounts ON tickets.account_id = own_accounts.account_id
  LEFT JOIN core.account_links AS account_links ON tickets.customer_id = account_links.source_key
  LEFT JOIN core.account_versions AS versions
    ON COALESCE(own_accounts.account_id, account_links.account_id) = versions.account_id
    AND marks.marked_at >= versions.valid_from
    AND marks.marked_at < versions.valid_to
  {% endif %}
  WHERE marks.next_marked_at IS NULL OR marks.next_marked_at > marks.marked_at
),

-- What made a policy apply is the change that brought it, not a later one that left policy and priority as they were.
compared AS (
  SELECT
    *,
    LAG(valid_from) OVER in_order IS NULL
    OR COALESCE(policy_number, 0) <> LAG(COALESCE(policy_number, 0)) OVER in_order
    OR COALESCE(priority_number, 0) <> LAG(COALESCE(priority_number, 0)) OVER in_order AS is_applying
  FROM spans
  WINDOW in_order AS (PARTITION BY ticket_number ORDER BY valid_from)
)

SELECT
  ticket_number,
  valid_from,
  valid_to,
  team_number,
  priority_number,
  policy_number,
  {{ sql.carried('CASE WHEN is_applying THEN valid_from END', 'up_to_here') }} AS applied_at,
  {{ sql.carried('CASE WHEN is_applying THEN applied_by END', 'up_to_here') }} AS applied_by
FROM compared
WINDOW
  up_to_here AS (
    PARTITION BY ticket_number
    ORDER BY valid_from
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
