-- Grain: one row per team.
SELECT
  team_id,
  name AS team_name,
  manager_id,
  COALESCE(is_active, TRUE) AND deleted_at IS NULL AS is_active
FROM staging.teams
