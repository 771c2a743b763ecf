-- Grain: one row per grain (week, month, quarter), period and team, and one for all teams: how much work its active
-- agents solved, and how evenly it was spread. An agent is active in a period with at least one solved ticket.
WITH work AS (
  {% for grain in ('week', 'month', 'quarter') %}
  {% for team in ('solved_team_id', "'all'") %}
  SELECT
    '{{ grain }}' AS grain,
    {{ sql.period_start(grain, 'solved_date') }} AS period_start,
    {{ team }} AS team_id,
    assignee_id AS agent_id,
    COUNT(*) AS solved_count
  FROM core.tickets
  WHERE
    solved_date IS NOT NULL
    AND assignee_id IS NOT NULL
    AND NOT (is_deleted OR is_merged OR is_spam OR is_bot_only)
  GROUP BY {{ sql.period_start(grain, 'solved_date') }}, {{ 'solved_team_id, ' if loop.first }}assignee_id
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
),

numbered AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY grain, period_start, team_id ORDER BY solved_count, agent_id) AS agent_number,
    COUNT(*) OVER (PARTITION BY grain, period_start, team_id) AS agent_count
  FROM work
),

teams AS (
  SELECT
    grain,
    period_start,
    team_id,
    COUNT(*) AS active_agent_count,
    SUM(solved_count) AS solved_ticket_count,
    SUM((2 * agent_number - agent_count - 1) * solved_count) AS spread
  FROM numbered
  GROUP BY grain, period_start, team_id
)

SELECT
  grain,
  period_start,
  team_id,
  CAST(active_agent_count AS BIGINT) AS active_agent_count,
  CAST(solved_ticket_count AS BIGINT) AS solved_ticket_count,
  {{ sql.ratio('solved_ticket_count', 'active_agent_count') }} AS tickets_per_agent,
  CASE
    WHEN active_agent_count >= {{ team_privacy.minimum_agents }}
      THEN {{ sql.ratio('spread', 'active_agent_count * solved_ticket_count') }}
  END AS gini
FROM teams
