-- Grain: one row per ticket and declared procedure (include/definitions/procedures) that applies to it.
-- The trace of a ticket is every `step` event and every event that executes a node, in order; a step that no node names
-- is unexpected. Running, deleted and other tickets that are not judged are here too, flagged.
{%- if not procedures %}
-- No procedure is declared: no row, and nothing is read.
SELECT
  CAST(NULL AS VARCHAR) AS ticket_id,
  CAST(NULL AS VARCHAR) AS procedure_id,
  CAST(NULL AS VARCHAR) AS channel,
  CAST(NULL AS VARCHAR) AS topic,
  CAST(NULL AS VARCHAR) AS priority,
  CAST(NULL AS VARCHAR) AS team_id,
  CAST(NULL AS TIMESTAMP) AS solved_at,
  CAST(NULL AS DATE) AS solved_date,
  0 AS trace_count,
  0 AS node_count,
  0 AS required_node_count,
  0 AS executed_required_node_count,
  0 AS skipped_node_count,
  0 AS repeated_node_count,
  0 AS unexpected_step_count,
  0 AS lcs_count,
  0 AS alignment_cost_count,
  CAST(NULL AS VARCHAR) AS executed_nodes,
  CAST(NULL AS VARCHAR) AS skipped_nodes,
  CAST(NULL AS VARCHAR) AS repeated_nodes,
  CAST(NULL AS VARCHAR) AS unexpected_steps,
  {{ sql.cast('NULL', 'double') }} AS node_compliance_ratio,
  {{ sql.cast('NULL', 'double') }} AS alignment_fitness_ratio,
  FALSE AS is_in_order,
  FALSE AS is_fully_conformant,
  FALSE AS is_running,
  FALSE AS is_unrecorded,
  FALSE AS is_deleted,
  FALSE AS is_merged,
  FALSE AS is_spam,
  FALSE AS is_bot_only
WHERE FALSE
{%- else %}
{%- from "macros/ticket_conditions.sql" import ticket_conditions %}
{%- set most_nodes = procedures.values() | map(attribute='nodes') | map('length') | max %}
{%- macro matches(when) -%}
events.event_type = {{ sql.text_list([when.event_type]) }}
{%- if when.value %} AND events.value IN ({{ sql.text_list(when.value) }}){% endif %}
{%- if when.actor_kind %} AND events.actor_kind IN ({{ sql.text_list(when.actor_kind) }}){% endif %}
{%- if when.is_public is not none %} AND events.is_public = {{ 'TRUE' if when.is_public else 'FALSE' }}{% endif %}
{%- endmacro %}
WITH judged_tickets AS (
  SELECT
    tickets.*,
    ',' || COALESCE(source_tickets.tags, '') || ',' AS tag_list,
    COALESCE(source_tickets.has_complete_events, FALSE) AS has_complete_events
  FROM {{ rows('core.tickets') }} AS tickets
  INNER JOIN {{ rows('staging.tickets') }} AS source_tickets ON tickets.ticket_id = source_tickets.ticket_id
),

applicable AS (
  {%- for procedure in procedures.values() %}
  {%- if not loop.first %}
  UNION ALL
  {%- endif %}
  SELECT
    ticket_id,
    {{ sql.text_list([procedure.id]) }} AS procedure_id
  FROM judged_tickets
  WHERE {{ ticket_conditions(sql, procedure.applies_to, procedure_columns) }}
  {%- endfor %}
),

candidate_steps AS (
  SELECT
    applicable.ticket_id,
    applicable.procedure_id,
    events.occurred_at,
    COALESCE(events.sequence_number, 0) AS sequence_number,
    events.event_id,
    events.event_type,
    COALESCE(events.value, 'unnamed') AS step_name,
    CASE
      {%- for procedure in procedures.values() %}
      {%- for node in procedure.nodes %}
      WHEN
        applicable.procedure_id = {{ sql.text_list([procedure.id]) }} AND {{ matches(node.when) }}
        THEN {{ loop.index }}
      {%- endfor %}
      {%- endfor %}
    END AS node_position
  FROM {{ rows('staging.ticket_events') }} AS events
  INNER JOIN applicable ON events.ticket_id = applicable.ticket_id
  WHERE
    events.deleted_at IS NULL
    AND events.event_type IN (
      {{ sql.text_list(['step'] + (procedures.values() | map(attribute='nodes') | sum(start=()) | map(attribute='when')
         | map(attribute='event_type') | unique | reject('equalto', 'step') | list)) }}
    )
),

-- Weights of the cheapest alignment: a matched required node saves a move in the trace and one in the procedure, a
-- matched optional one only the first. The thousands hold the weight and the units count the matched nodes.
steps AS (
  SELECT
    ticket_id,
    procedure_id,
    step_name,
    node_position,
    CASE
      {%- for procedure in procedures.values() %}
      {%- for node in procedure.nodes if not node.required %}
      WHEN
        procedure_id = {{ sql.text_list([procedure.id]) }} AND node_position = {{ procedure.nodes.index(node) + 1 }}
        THEN 1001
      {%- endfor %}
      {%- endfor %}
      WHEN node_position IS NOT NULL THEN 2001
    END AS weight,
    ROW_NUMBER() OVER by_time AS step_number,
    MAX(node_position) OVER (by_time ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS furthest_position
  FROM candidate_steps
  WHERE node_position IS NOT NULL OR event_type = 'step'
  WINDOW by_time AS (PARTITION BY ticket_id, procedure_id ORDER BY occurred_at, sequence_number, event_id)
),

traces AS (
  SELECT
    ticket_id,
    procedure_id,
    COUNT(*) AS trace_count,
    {%- for position in range(1, most_nodes + 1) %}
    COUNT(CASE WHEN node_position = {{ position }} THEN 1 END) AS count_{{ position }},
    {%- endfor %}
    COUNT(CASE WHEN node_position <= furthest_position THEN 1 END) AS disordered_count,
    SUM(weight) AS total_weight
  FROM steps
  GROUP BY ticket_id, procedure_id
),

unexpected_steps AS (
  SELECT
    ticket_id,
    procedure_id,
    COUNT(*) AS step_count,
    {{ sql.joined_text('step_name') }} AS step_names
  FROM steps
  WHERE node_position IS NULL
  GROUP BY ticket_id, procedure_id
),

-- Only a trace that goes back somewhere needs a search: the heaviest of all its strictly rising runs of nodes.
-- Node by node, a step's best run is its own weight and the best that ended before it at an earlier node.
runs_0 AS (
  SELECT
    steps.ticket_id,
    steps.procedure_id,
    steps.step_number,
    steps.node_position,
    steps.weight,
    CAST(NULL AS INTEGER) AS run_weight
  FROM steps
  INNER JOIN traces ON steps.ticket_id = traces.ticket_id AND steps.procedure_id = traces.procedure_id
  WHERE traces.disordered_count > 0 AND steps.node_position IS NOT NULL
),
{% for position in range(1, most_nodes + 1) %}
runs_{{ position }} AS (
  SELECT
    ticket_id,
    procedure_id,
    step_number,
    node_position,
    weight,
    CASE
      WHEN node_position = {{ position }}
        THEN weight + COALESCE(
            MAX(run_weight) OVER (
              PARTITION BY ticket_id, procedure_id ORDER BY step_number
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            0
          )
      ELSE run_weight
    END AS run_weight
  FROM runs_{{ position - 1 }}
),
{% endfor %}
heaviest_runs AS (
  SELECT
    ticket_id,
    procedure_id,
    MAX(run_weight) AS run_weight
  FROM runs_{{ most_nodes }}
  GROUP BY ticket_id, procedure_id
),

counted AS (
  SELECT
    applicable.ticket_id,
    applicable.procedure_id,
    COALESCE(traces.trace_count, 0) AS trace_count,
    {%- for position in range(1, most_nodes + 1) %}
    COALESCE(traces.count_{{ position }}, 0) AS count_{{ position }},
    {%- endfor %}
    COALESCE(traces.disordered_count, 0) = 0 AS is_in_order,
    COALESCE(heaviest_runs.run_weight, traces.total_weight, 0) AS matched_weight,
    COALESCE(unexpected_steps.step_count, 0) AS unexpected_step_count,
    unexpected_steps.step_names AS unexpected_steps
  FROM applicable
  LEFT JOIN traces ON applicable.ticket_id = traces.ticket_id AND applicable.procedure_id = traces.procedure_id
  LEFT JOIN unexpected_steps
    ON applicable.ticket_id = unexpected_steps.ticket_id AND applicable.procedure_id = unexpected_steps.procedure_id
  LEFT JOIN heaviest_runs
    ON applicable.ticket_id = heaviest_runs.ticket_id AND applicable.procedure_id = heaviest_runs.procedure_id
),

named AS (
  {%- for procedure in procedures.values() %}
  {%- if not loop.first %}
  UNION ALL
  {%- endif %}
  SELECT
    ticket_id,
    procedure_id,
    trace_count,
    {{ procedure.nodes | length }} AS node_count,
    {{ procedure.required_count }} AS required_node_count,
    0
    {%- for node in procedure.nodes if node.required %}
    + CASE WHEN count_{{ procedure.nodes.index(node) + 1 }} > 0 THEN 1 ELSE 0 END
    {%- endfor %} AS executed_required_node_count,
    0
    {%- for node in procedure.nodes %}
    + CASE WHEN count_{{ loop.index }} > 1 THEN 1 ELSE 0 END
    {%- endfor %} AS repeated_node_count,
    SUBSTRING(
      ''
      {%- for node in procedure.nodes %}
      || CASE WHEN count_{{ loop.index }} > 0 THEN {{ sql.text_list([',' ~ node.id]) }} ELSE '' END
      {%- endfor %} FROM 2
    ) AS executed_nodes,
    SUBSTRING(
      ''
      {%- for node in procedure.nodes if node.required %}
      || CASE WHEN count_{{ procedure.nodes.index(node) + 1 }} = 0 THEN {{ sql.text_list([',' ~ node.id]) }} ELSE '' END
      {%- endfor %} FROM 2
    ) AS skipped_nodes,
    SUBSTRING(
      ''
      {%- for node in procedure.nodes %}
      || CASE WHEN count_{{ loop.index }} > 1 THEN {{ sql.text_list([',' ~ node.id]) }} ELSE '' END
      {%- endfor %} FROM 2
    ) AS repeated_nodes,
    is_in_order,
    {{ sql.cast('FLOOR(matched_weight / 1000.0)', 'integer') }} AS saved_count,
    {{ sql.cast('MOD(matched_weight, 1000)', 'integer') }} AS lcs_count,
    unexpected_step_count,
    unexpected_steps
  FROM counted
  WHERE procedure_id = {{ sql.text_list([procedure.id]) }}
  {%- endfor %}
)

SELECT
  named.ticket_id,
  named.procedure_id,
  tickets.channel,
  tickets.topic,
  tickets.priority,
  tickets.team_id,
  tickets.solved_at,
  {{ sql.reporting_date('tickets.solved_at', 'solved_day') }} AS solved_date,
  named.trace_count,
  named.node_count,
  named.required_node_count,
  named.executed_required_node_count,
  named.required_node_count - named.executed_required_node_count AS skipped_node_count,
  named.repeated_node_count,
  named.unexpected_step_count,
  named.lcs_count,
  named.trace_count + named.required_node_count - named.saved_count AS alignment_cost_count,
  NULLIF(named.executed_nodes, '') AS executed_nodes,
  NULLIF(named.skipped_nodes, '') AS skipped_nodes,
  NULLIF(named.repeated_nodes, '') AS repeated_nodes,
  named.unexpected_steps,
  {{ sql.ratio('named.executed_required_node_count', 'named.required_node_count') }} AS node_compliance_ratio,
  {{ sql.ratio('named.saved_count', '(named.trace_count + named.required_node_count)') }} AS alignment_fitness_ratio,
  named.is_in_order,
  named.is_in_order
  AND named.executed_required_node_count = named.required_node_count
  AND named.unexpected_step_count = 0 AS is_fully_conformant,
  NOT tickets.is_solved AS is_running,
  named.trace_count = 0 AND NOT tickets.has_complete_events AS is_unrecorded,
  tickets.is_deleted,
  tickets.is_merged,
  tickets.is_spam,
  tickets.is_bot_only
FROM named
INNER JOIN judged_tickets AS tickets ON named.ticket_id = tickets.ticket_id
LEFT JOIN core.reporting_offsets AS solved_day ON CAST(tickets.solved_at AS DATE) = solved_day.utc_date
{%- endif %}
