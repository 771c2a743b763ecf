-- Grain: one row per clock that pauses and whose time has to be counted span by span: to find where it went beyond its
-- target, or because it does not run through the whole life.
WITH followed_clocks AS (
  SELECT *
  FROM {{ rows('work.ticket_sla_clocks') }}
  WHERE elapsed_seconds IS NULL OR (NOT is_unpaused AND elapsed_seconds > target_seconds)
),

counted_spans AS (
  SELECT
    clocks.ticket_number,
    clocks.metric_number,
    clocks.turn_number,
    clocks.target_seconds,
    clocks.is_business_time,
    clocks.named_number,
    segments.mark_number,
    GREATEST(segments.started_at, clocks.started_at) AS started_at,
    LEAST(segments.ended_at, clocks.ended_at) AS ended_at,
    CASE
      WHEN segments.started_at < clocks.started_at THEN clocks.started_position
      WHEN clocks.is_business_time THEN segments.business_seconds_before
      ELSE {{ sql.seconds_between('clocks.created_at', 'segments.started_at') }}
    END AS started_position,
    CASE
      WHEN segments.ended_at IS NULL OR segments.ended_at > clocks.ended_at THEN clocks.ended_position
      WHEN clocks.is_business_time THEN segments.business_seconds_before + segments.business_seconds
      ELSE {{ sql.seconds_between('clocks.created_at', 'segments.ended_at') }}
    END AS ended_position
  FROM followed_clocks AS clocks
  INNER JOIN {{ rows('work.ticket_segments') }} AS segments
    ON clocks.ticket_number = segments.ticket_number
    -- The span that lasts counts up to the end of a clock that has one; what runs is not counted here.
    AND COALESCE(segments.ended_at, clocks.ended_at) > clocks.started_at
    AND segments.started_at < COALESCE(clocks.ended_at, {{ sla.never }})
  WHERE
    FALSE
    {% for number, owners in sla.clocks %}
    OR (clocks.clock_number = {{ number }} AND segments.owner IN ({{ sql.text_list(owners) }}))
    {% endfor %}
),

placed_spans AS (
  {% if sla.has_named_calendars %}
  SELECT
    spans.ticket_number,
    spans.metric_number,
    spans.turn_number,
    spans.target_seconds,
    spans.mark_number,
    CASE
      WHEN spans.named_number IS NULL THEN spans.started_position
      ELSE {{ sql.business_position('spans.started_at', 'first_days') }}
    END AS started_position,
    CASE
      WHEN spans.named_number IS NULL THEN spans.ended_position
      ELSE {{ sql.business_position('spans.ended_at', 'last_days') }}
    END AS ended_position
  FROM counted_spans AS spans
  LEFT JOIN core.calendar_days AS first_days
    ON spans.named_number = first_days.calendar_number AND CAST(spans.started_at AS DATE) = first_days.utc_date
  LEFT JOIN core.calendar_days AS last_days
    ON spans.named_number = last_days.calendar_number AND CAST(spans.ended_at AS DATE) = last_days.utc_date
  {% else %}
  SELECT *
  FROM counted_spans
  {% endif %}
),

running_sums AS (
  SELECT
    *,
    ended_position - started_position AS counted_seconds,
    CAST(
      COALESCE(
        SUM(ended_position - started_position) OVER (
          PARTITION BY ticket_number, metric_number, turn_number
          ORDER BY mark_number
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ),
        0
      ) AS BIGINT
    ) AS counted_before
  FROM placed_spans
)

SELECT
  ticket_number,
  metric_number,
  turn_number,
  CAST(SUM(counted_seconds) AS BIGINT) AS elapsed_seconds,
  MIN(
    CASE
      WHEN counted_before < target_seconds AND target_seconds <= counted_before + counted_seconds
        THEN started_position + target_seconds - counted_before
    END
  ) AS due_position,
  MIN(
    CASE
      WHEN counted_before <= target_seconds AND target_seconds < counted_before + counted_seconds
        THEN started_position + target_seconds - counted_before
    END
  ) AS late_position
FROM running_sums
GROUP BY ticket_number, metric_number, turn_number
