-- Grain: one row per tier of the accounts that answered a CSAT survey or had tickets solved.
-- Do the customers that we serve faster also score us higher?
-- Both sides are counted apart and joined last: a join of answers to tickets first would lose tickets without an answer
-- and double those with several. The tier is the one in force at the answer and at the solution. Only the last rating
-- of a ticket counts, and only by a scale contract; different scales are put on 0 to 100. Side by side is no cause: tiers
-- differ in more than speed.
WITH answers AS (
  SELECT
    account_tier,
    COUNT(*) AS answer_count,
    AVG(100.0 * (turned_score - scale_minimum) / (scale_maximum - scale_minimum)) AS mean_score_pct
  FROM core.survey_responses
  WHERE
    survey_kind = 'csat'
    AND NOT is_deleted
    AND NOT is_unusable
    AND NOT is_superseded
    AND NOT is_unanswered
  GROUP BY account_tier
),

solutions AS (
  SELECT
    solved_account_tier AS account_tier,
    COUNT(*) AS solved_ticket_count,
    PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY CAST(full_resolution_business_seconds AS DOUBLE PRECISION)) / 3600
      AS median_resolution_business_hours
  FROM core.tickets
  WHERE
    solved_at IS NOT NULL
    AND NOT is_deleted
    AND NOT is_merged
    AND NOT is_spam
    AND NOT is_bot_only
  GROUP BY solved_account_tier
)

SELECT
  COALESCE(solutions.account_tier, answers.account_tier) AS account_tier,
  COALESCE(solutions.solved_ticket_count, 0) AS solved_ticket_count,
  solutions.median_resolution_business_hours,
  COALESCE(answers.answer_count, 0) AS answer_count,
  answers.mean_score_pct
FROM solutions
FULL OUTER JOIN answers ON solutions.account_tier = answers.account_tier
ORDER BY account_tier
