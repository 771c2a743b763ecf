-- Grain: one row per agent, team, month and figure.
-- No rank, and nothing that leads to one: every figure is drawn to the team's (n / (n + shrinkage_cases) of it is the
-- agent's own) and has an interval. Below minimum_cases it is hidden. Where that hides exactly one cell of a team, the
-- next smallest is hidden with it, else the team's total less the shown ones would tell it. There is one grain only: a
-- quarter less two shown months would tell a hidden one. The limits: include/definitions/team_privacy.
WITH cases AS (
  SELECT
    assignee_id AS agent_id,
    solved_team_id AS team_id,
    {{ sql.period_start('month', 'solved_date') }} AS month_start_date,
    'reopened' AS figure,
    CASE WHEN reopen_count > 0 THEN 1 ELSE 0 END AS met_count
  FROM core.tickets
  WHERE
    solved_date IS NOT NULL
    AND assignee_id IS NOT NULL
    AND lifecycle_basis = 'events'
    AND NOT (is_deleted OR is_merged OR is_spam OR is_bot_only)
  UNION ALL
  SELECT
    assignee_id AS agent_id,
    solved_team_id AS team_id,
    {{ sql.period_start('month', 'solved_date') }} AS month_start_date,
    'one_touch' AS figure,
    CASE WHEN is_one_touch THEN 1 ELSE 0 END AS met_count
  FROM core.tickets
  WHERE
    solved_date IS NOT NULL
    AND assignee_id IS NOT NULL
    AND lifecycle_basis = 'events'
    AND NOT (is_deleted OR is_merged OR is_spam OR is_bot_only)
  UNION ALL
  SELECT
    tickets.assignee_id AS agent_id,
    answers.team_id,
    {{ sql.period_start('month', 'answers.responded_date') }} AS month_start_date,
    'csat_top_box' AS figure,
    CASE WHEN answers.score >= answers.scale_maximum - 1 THEN 1 ELSE 0 END AS met_count
  FROM core.survey_responses AS answers
  INNER JOIN core.tickets AS tickets ON answers.ticket_id = tickets.ticket_id
  WHERE
    answers.survey_kind = 'csat'
    AND NOT answers.is_deleted
    AND answers.responded_date IS NOT NULL
    AND tickets.assignee_id IS NOT NULL
),

cells AS (
  SELECT
    figure,
    team_id,
    month_start_date,
    agent_id,
    COUNT(*) AS case_count,
    SUM(met_count) AS met_count
  FROM cases
  GROUP BY figure, team_id, month_start_date, agent_id
),

grouped_cells AS (
  SELECT
    *,
    SUM(case_count) OVER by_group AS team_case_count,
    SUM(met_count) OVER by_group AS team_met_count,
    COUNT(CASE WHEN case_count < {{ team_privacy.minimum_cases }} THEN 1 END) OVER by_group AS too_few_count,
    ROW_NUMBER() OVER (PARTITION BY figure, team_id, month_start_date ORDER BY case_count, agent_id) AS size_number
  FROM cells
  WINDOW by_group AS (PARTITION BY figure, team_id, month_start_date)
),

judged_cells AS (
  SELECT
    *,
    CASE
      WHEN case_count < {{ team_privacy.minimum_cases }} THEN 'too_few_cases'
      WHEN too_few_count = 1 AND size_number = 2 THEN 'protects_another'
    END AS hidden_because,
    {{ sql.ratio('team_met_count', 'team_case_count') }} AS team_ratio,
    {{ sql.cast('case_count', 'double') }} + {{ team_privacy.shrinkage_cases }} AS weight
  FROM grouped_cells
),

drawn_cells AS (
  SELECT
    *,
    (met_count + {{ team_privacy.shrinkage_cases }} * team_ratio) / weight AS drawn_ratio
  FROM judged_cells
)

-- Wilson's interval, 95 %, over the agent's cases and those that the team lends.
SELECT
  agent_id,
  team_id,
  month_start_date,
  figure,
  hidden_because IS NOT NULL AS is_hidden,
  hidden_because,
  CASE WHEN hidden_because IS NULL THEN case_count END AS case_count,
  CASE WHEN hidden_because IS NULL THEN {{ sql.ratio('case_count', 'weight') }} END AS own_weight_ratio,
  CASE WHEN hidden_because IS NULL THEN drawn_ratio END AS drawn_ratio,
  {% set lower, upper = wilson('drawn_ratio', 'weight') %}
  CASE WHEN hidden_because IS NULL THEN {{ lower }} END AS lower_bound,
  CASE WHEN hidden_because IS NULL THEN {{ upper }} END AS upper_bound,
  team_ratio,
  CAST(team_case_count AS BIGINT) AS team_case_count
FROM drawn_cells
