-- Grain: one row per answer to one survey question, read by the question's scale contract.
-- Channel, team and tier are those of the ticket that the answer is about; without a ticket those of the answer.
-- An answer that cannot be read (no contract, off its scale) is kept and flagged: no indicator counts it. Of several
-- ratings of one ticket the last counts.
{%- set turned -%}
  CASE
    WHEN surveys.is_higher_better THEN responses.score
    ELSE surveys.scale_minimum + surveys.scale_maximum - responses.score
  END
{%- endset %}
WITH answers AS (
  SELECT
    responses.*,
    surveys.kind,
    surveys.instrument,
    surveys.formula,
    surveys.servqual_dimension,
    surveys.scale_minimum AS lowest,
    surveys.scale_maximum AS highest,
    surveys.good_from,
    surveys.bad_to,
    {{ turned }} AS turned_score,
    CASE
      WHEN surveys.survey_id IS NULL THEN 'no contract'
      WHEN surveys.contract_fault IS NOT NULL THEN surveys.contract_fault
      WHEN responses.score < surveys.scale_minimum OR responses.score > surveys.scale_maximum THEN 'off the scale'
      WHEN
        responses.expectation_score < surveys.scale_minimum OR responses.expectation_score > surveys.scale_maximum
        THEN 'off the scale'
    END AS unusable_reason
  FROM {{ rows('staging.survey_responses') }} AS responses
  LEFT JOIN core.surveys AS surveys ON responses.survey_id = surveys.survey_id
),

-- All ratings of the tickets in question, also those that did not change.
ratings AS (
  SELECT
    responses.response_id,
    responses.ticket_id,
    responses.responded_at,
    responses.score,
    {{ turned }} >= surveys.good_from AS is_good,
    {{ turned }} <= surveys.bad_to AS is_bad
  FROM staging.survey_responses AS responses
  INNER JOIN core.surveys AS surveys ON responses.survey_id = surveys.survey_id
  INNER JOIN (
    SELECT DISTINCT ticket_id
    FROM {{ rows('staging.survey_responses') }}
    WHERE ticket_id IS NOT NULL
  ) AS rated_tickets ON responses.ticket_id = rated_tickets.ticket_id
  WHERE
    surveys.kind = 'csat'
    AND surveys.contract_fault IS NULL
    AND responses.score BETWEEN surveys.scale_minimum AND surveys.scale_maximum
    AND responses.deleted_at IS NULL
),

ranked_ratings AS (
  SELECT
    response_id,
    is_good,
    is_bad,
    ROW_NUMBER() OVER (PARTITION BY ticket_id ORDER BY responded_at, response_id) AS rating_number,
    COUNT(*) OVER (PARTITION BY ticket_id) AS rating_count,
    FIRST_VALUE(score) OVER by_age AS first_score,
    FIRST_VALUE(is_good) OVER by_age AS is_first_good,
    FIRST_VALUE(is_bad) OVER by_age AS is_first_bad
  FROM ratings
  WINDOW by_age AS (
    PARTITION BY ticket_id
    ORDER BY responded_at, response_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  )
)

SELECT
  answers.response_id,
  answers.source,
  answers.survey_id,
  COALESCE(answers.kind, answers.survey_kind) AS survey_kind,
  answers.instrument,
  answers.formula,
  answers.servqual_dimension,
  COALESCE(
    answers.submission_id,
    answers.invitation_id,
    answers.customer_id || ' ' || CAST(CAST(answers.responded_at AS DATE) AS VARCHAR(10)),
    answers.response_id
  ) AS sitting_id,
  answers.ticket_id,
  answers.invitation_id,
  answers.customer_id,
  COALESCE(own_accounts.account_id, tickets.account_id, account_links.account_id) AS account_id,
  answers.responded_at,
  {{ sql.reporting_date('answers.responded_at', 'responded_day') }} AS responded_date,
  answers.score,
  answers.expectation_score,
  answers.score - answers.expectation_score AS item_gap,
  answers.turned_score,
  COALESCE(answers.lowest, answers.scale_minimum) AS scale_minimum,
  COALESCE(answers.highest, answers.scale_maximum) AS scale_maximum,
  answers.language,
  answers.comment IS NOT NULL AS has_comment,
  CASE WHEN answers.formula = 'top_box' THEN answers.turned_score >= answers.highest - 1 END AS is_top_box,
  CASE WHEN answers.formula IN ('top_box', 'good_bad') THEN answers.turned_score >= answers.good_from END AS is_good,
  CASE WHEN answers.formula IN ('top_box', 'good_bad') THEN answers.turned_score <= answers.bad_to END AS is_bad,
  CASE WHEN answers.formula = 'net_promoter' THEN answers.score >= 9 END AS is_promoter,
  CASE WHEN answers.formula = 'net_promoter' THEN answers.score > 6 AND answers.score < 9 END AS is_passive,
  CASE WHEN answers.formula = 'net_promoter' THEN answers.score <= 6 END AS is_detractor,
  CASE WHEN answers.formula = 'effort_2' THEN answers.score >= 5 END AS is_easy,
  CASE WHEN answers.formula = 'effort_2' THEN answers.score <= 3 END AS is_difficult,
  CAST(ranked_ratings.rating_number AS INTEGER) AS rating_number,
  CAST(ranked_ratings.rating_count AS INTEGER) AS rating_count,
  ranked_ratings.first_score,
  COALESCE(ranked_ratings.rating_number < ranked_ratings.rating_count, FALSE) AS is_superseded,
  ranked_ratings.rating_number = ranked_ratings.rating_count AND answers.score <> ranked_ratings.first_score
    AS is_rating_changed,
  ranked_ratings.rating_number = ranked_ratings.rating_count AND ranked_ratings.is_first_good AND ranked_ratings.is_bad
    AS is_good_to_bad,
  ranked_ratings.rating_number = ranked_ratings.rating_count AND ranked_ratings.is_first_bad AND ranked_ratings.is_good
    AS is_bad_to_good,
  answers.score IS NULL AS is_unanswered,
  answers.unusable_reason,
  answers.unusable_reason IS NOT NULL AS is_unusable,
  COALESCE(tickets.channel, answers.channel, 'unknown') AS channel,
  COALESCE(tickets.solved_team_id, 'unassigned') AS team_id,
  COALESCE(tickets.solved_priority, 'unknown') AS priority,
  COALESCE(versions.tier, 'unlinked') AS account_tier,
  COALESCE(versions.owner, 'unlinked') AS account_owner,
  answers.deleted_at IS NOT NULL AS is_deleted
FROM answers
LEFT JOIN ranked_ratings ON answers.response_id = ranked_ratings.response_id
LEFT JOIN core.tickets AS tickets ON answers.ticket_id = tickets.ticket_id
LEFT JOIN staging.accounts AS own_accounts ON answers.account_id = own_accounts.account_id
LEFT JOIN core.account_links AS account_links ON answers.customer_id = account_links.source_key
LEFT JOIN core.account_versions AS versions
  ON COALESCE(own_accounts.account_id, tickets.account_id, account_links.account_id) = versions.account_id
  AND answers.responded_at >= versions.valid_from
  AND answers.responded_at < versions.valid_to
LEFT JOIN core.reporting_offsets AS responded_day ON CAST(answers.responded_at AS DATE) = responded_day.utc_date
