-- Grain: one row per team that gave tickets away and team that got them.
-- Which way do tickets travel between teams, and what does it cost the customer?
-- A return is a hand-off to a team that had held the ticket before. The wait is from the hand-off to the next reply
-- that ends a turn of the customer, in open hours; the mean is of those that have such a reply, how many says
-- `replied_count`. Put a condition on `handed_off_date` for one period.
WITH routes AS (
  SELECT
    from_team_id,
    to_team_id,
    COUNT(*) AS handoff_count,
    COUNT(CASE WHEN is_return THEN 1 END) AS return_count,
    COUNT(reply_after_business_seconds) AS replied_count,
    CAST(SUM(reply_after_business_seconds) AS DOUBLE PRECISION) AS reply_after_business_seconds,
    CAST(SUM(held_before_business_seconds) AS DOUBLE PRECISION) AS held_before_business_seconds
  FROM core.handoffs
  GROUP BY from_team_id, to_team_id
)

SELECT
  routes.from_team_id,
  routes.to_team_id,
  COALESCE(from_teams.team_name, routes.from_team_id) AS from_team,
  COALESCE(to_teams.team_name, routes.to_team_id) AS to_team,
  routes.handoff_count,
  routes.return_count,
  routes.held_before_business_seconds / routes.handoff_count / 3600 AS mean_held_before_business_hours,
  routes.replied_count,
  routes.reply_after_business_seconds / NULLIF(routes.replied_count, 0) / 3600 AS mean_reply_after_business_hours
FROM routes
LEFT JOIN core.teams AS from_teams ON routes.from_team_id = from_teams.team_id
LEFT JOIN core.teams AS to_teams ON routes.to_team_id = to_teams.team_id
ORDER BY routes.handoff_count DESC, routes.from_team_id, routes.to_team_id
