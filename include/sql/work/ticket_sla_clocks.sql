-- Grain: one row per ticket, metric and turn for which a target was in force when its clock stopped, or is now.
-- Positions are seconds on the clock's own line: the ticket's business line, a named calendar's, or plain seconds from
-- the ticket's creation. Our own policies come before what the source asks.
WITH applied AS (
  SELECT
    clocks.*,
    tickets.created_at,
    holders.team_number,
    holders.priority_number,
    {% if sla.asks %}
    CASE
      WHEN asks.ask_number IS NULL THEN 'source'
      WHEN holders.applied_at > clocks.started_at THEN holders.applied_by
      WHEN clocks.turn_number > 1 THEN 'turn'
      ELSE 'creation'
    END AS applied_by,
    CASE
      WHEN asks.ask_number IS NULL THEN source_targets.valid_from
      WHEN holders.applied_at > clocks.started_at THEN holders.applied_at
      ELSE clocks.started_at
    END AS applied_at,
    asks.ask_number,
    COALESCE(asks.target_seconds, source_targets.target_seconds) AS target_seconds,
    COALESCE(asks.is_business_time, source_targets.is_business_time) AS is_business_time,
    asks.named_number,
    COALESCE(asks.clock_number, {{ sla.default_clock('clocks.metric_number') }}) AS clock_number,
    {% else %}
    'source' AS applied_by,
    source_targets.valid_from AS applied_at,
    CAST(NULL AS INTEGER) AS ask_number,
    source_targets.target_seconds,
    source_targets.is_business_time,
    CAST(NULL AS INTEGER) AS named_number,
    {{ sla.default_clock('clocks.metric_number') }} AS clock_number,
    {% endif %}
    source_targets.policy AS source_policy
  FROM {{ rows('work.ticket_clocks') }} AS clocks
  INNER JOIN {{ rows('work.tickets') }} AS tickets ON clocks.ticket_number = tickets.ticket_number
  INNER JOIN {{ rows('work.ticket_holders') }} AS holders
    ON clocks.ticket_number = holders.ticket_number
    AND holders.valid_from <= COALESCE(clocks.ended_at, {{ sla.now_or_later }})
    AND holders.valid_to > COALESCE(clocks.ended_at, {{ sla.now_or_later }})
  {% if sla.asks %}
  LEFT JOIN {{ rows('work.sla_asks') }} AS asks
    ON holders.policy_number = asks.policy_number
    AND clocks.metric_number = asks.metric_number
    AND CASE
      WHEN holders.priority_number IN ({{ sla.priority_numbers }}) THEN holders.priority_number
      ELSE 0
    END = asks.priority_number
    AND GREATEST(holders.applied_at, clocks.started_at) >= asks.valid_from
    AND GREATEST(holders.applied_at, clocks.started_at) < asks.valid_to
  {% endif %}
  LEFT JOIN {{ rows('work.source_sla_targets') }} AS source_targets
    ON clocks.ticket_number = source_targets.ticket_number
    AND clocks.metric_number = source_targets.metric_number
    AND source_targets.valid_from <= COALESCE(clocks.ended_at, {{ sla.now_or_later }})
    AND source_targets.valid_to > COALESCE(clocks.ended_at, {{ sla.now_or_later }})
),

placed AS (
  SELECT
    applied.ticket_number,
    applied.metric_number,
    applied.turn_number,
    applied.created_at,
    applied.started_at,
    applied.ended_at,
    applied.ended_by,
    applied.team_number,
    applied.priority_number,
    applied.applied_by,
    applied.applied_at,
    applied.ask_number,
    applied.source_policy,
    applied.target_seconds,
    applied.is_business_time,
    applied.named_number,
    applied.clock_number,
    CASE
      {% if sla.has_named_calendars %}
      WHEN applied.named_number IS NOT NULL THEN {{ sql.business_position('applied.started_at', 'first_days') }}
      {% endif %}
      WHEN applied.is_business_time THEN applied.started_position
      ELSE {{ sql.seconds_between('applied.created_at', 'applied.started_at') }}
    END AS started_position,
    CASE
      {% if sla.has_named_calendars %}
      WHEN applied.named_number IS NOT NULL THEN {{ sql.business_position('applied.ended_at', 'last_days') }}
      {% endif %}
      WHEN applied.is_business_time THEN applied.ended_position
      ELSE {{ sql.seconds_between('applied.created_at', 'applied.ended_at') }}
    END AS ended_position,
    owner_times.current_owner,
    owner_times.current_owner_since,
    CASE
      WHEN applied.is_business_time THEN owner_times.current_position
      ELSE {{ sql.seconds_between('applied.created_at', 'owner_times.current_owner_since') }}
    END AS current_position,
    -- Without a pause, time from message to message needs no look at what was between; through a life, the sums do.
    applied.named_number IS NULL AND applied.metric_number NOT IN ({{ sla.life_numbers }})
    AND applied.clock_number = {{ sla.unpaused_clock }} AS is_unpaused,
    CASE
      {% for number, owners in sla.clocks %}
      WHEN
        applied.named_number IS NULL AND applied.metric_number IN ({{ sla.life_numbers }})
        AND applied.clock_number = {{ number }}
        THEN
          CASE
            WHEN applied.is_business_time THEN {{ owner_sum(owners, 'business') }}
            ELSE {{ owner_sum(owners, 'calendar') }}
          END
      {% endfor %}
    END AS life_seconds
  FROM applied
  INNER JOIN {{ rows('work.ticket_owner_times') }} AS owner_times ON applied.ticket_number = owner_times.ticket_number
  {% if sla.has_named_calendars %}
  LEFT JOIN core.calendar_days AS first_days
    ON applied.named_number = first_days.calendar_number AND CAST(applied.started_at AS DATE) = first_days.utc_date
  LEFT JOIN core.calendar_days AS last_days
    ON applied.named_number = last_days.calendar_number AND CAST(applied.ended_at AS DATE) = last_days.utc_date
  {% endif %}
  WHERE applied.target_seconds IS NOT NULL
)

SELECT
  placed.*,
  CASE
    WHEN is_unpaused THEN COALESCE(ended_position - started_position, 0)
    ELSE life_seconds
  END AS elapsed_seconds,
  ended_at IS NULL AND (
    is_unpaused
    {% for number, owners in sla.clocks %}
    OR (clock_number = {{ number }} AND current_owner IN ({{ sql.text_list(owners) }}))
    {% endfor %}
  ) AS is_running
FROM placed
