-- Grain: one row per question and reason for which answers to it are counted nowhere.
SELECT
  survey_id,
  unusable_reason,
  COUNT(*) AS answer_count,
  MIN(responded_date) AS first_responded_date,
  MAX(responded_date) AS last_responded_date
FROM core.survey_responses
WHERE is_unusable AND NOT is_deleted
GROUP BY survey_id, unusable_reason
