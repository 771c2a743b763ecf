-- Grain: one row per procedure, node and day on which judged tickets were solved. Divide sums of counts.
WITH nodes AS (
  {%- set declared = namespace(count=0) %}
  {%- for procedure in procedures.values() %}
  {%- for node in procedure.nodes %}
  {%- if declared.count %}
  UNION ALL
  {%- endif %}
  {%- set declared.count = declared.count + 1 %}
  SELECT
    {{ sql.text_list([procedure.id]) }} AS procedure_id,
    {{ sql.text_list([node.id]) }} AS node_id,
    {{ loop.index }} AS node_position,
    {{ 'TRUE' if node.required else 'FALSE' }} AS is_required
  {%- endfor %}
  {%- endfor %}
  {%- if not declared.count %}
  SELECT
    CAST(NULL AS VARCHAR) AS procedure_id,
    CAST(NULL AS VARCHAR) AS node_id,
    0 AS node_position,
    FALSE AS is_required
  WHERE FALSE
  {%- endif %}
)

SELECT
  nodes.procedure_id,
  nodes.node_id,
  nodes.node_position,
  nodes.is_required,
  judged.solved_date,
  COUNT(*) AS judged_ticket_count,
  COUNT(
    CASE WHEN POSITION(',' || nodes.node_id || ',' IN ',' || judged.executed_nodes || ',') > 0 THEN 1 END
  ) AS executed_ticket_count,
  COUNT(
    CASE WHEN POSITION(',' || nodes.node_id || ',' IN ',' || judged.repeated_nodes || ',') > 0 THEN 1 END
  ) AS repeated_ticket_count
FROM nodes
INNER JOIN core.ticket_conformance AS judged ON nodes.procedure_id = judged.procedure_id
WHERE
  NOT judged.is_running
  AND NOT judged.is_unrecorded
  AND NOT judged.is_deleted
  AND NOT judged.is_merged
  AND NOT judged.is_spam
  AND NOT judged.is_bot_only
GROUP BY nodes.procedure_id, nodes.node_id, nodes.node_position, nodes.is_required, judged.solved_date
