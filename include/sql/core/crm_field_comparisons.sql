-- Grain: one row per matched record of the ticket side and field that both systems keep.
-- Values are compared in the form in which two spellings are equal: personal ones are pseudonyms of the normalised
-- value (case, digits of a telephone number), others are trimmed and compared without case. A value that one side lacks
-- is missing, not different. The field by which two records were matched is not compared: it cannot differ.
WITH comparisons AS (
  {% for kind, key in (('customers', 'customer_id'), ('accounts', 'account_id')) %}
  {% for field in crm_sync[kind].fields %}
  SELECT
    matches.record_kind,
    matches.record_key AS ticket_key,
    matches.match_key AS crm_key,
    '{{ field }}' AS field,
    {% if field in personal_columns[kind] %}
    ticket_records.{{ field }} AS ticket_value,
    crm_records.{{ field }} AS crm_value,
    {% else %}
    NULLIF(LOWER(TRIM(CAST(ticket_records.{{ field }} AS VARCHAR))), '') AS ticket_value,
    NULLIF(LOWER(TRIM(CAST(crm_records.{{ field }} AS VARCHAR))), '') AS crm_value,
    {% endif %}
    matches.created_date,
    matches.account_tier
  FROM core.crm_matches AS matches
  INNER JOIN staging.{{ kind }} AS ticket_records ON matches.record_key = ticket_records.{{ key }}
  INNER JOIN staging.{{ kind }} AS crm_records ON matches.match_key = crm_records.{{ key }}
  WHERE
    matches.record_kind = '{{ kind }}'
    AND matches.side = 'tickets'
    AND matches.state = 'matched'
    AND matches.rule <> '{{ field }}'
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
)

SELECT
  record_kind,
  ticket_key,
  crm_key,
  field,
  CASE
    WHEN ticket_value IS NULL AND crm_value IS NULL THEN 'missing_on_both'
    WHEN ticket_value IS NULL THEN 'missing_in_tickets'
    WHEN crm_value IS NULL THEN 'missing_in_crm'
    WHEN ticket_value = crm_value THEN 'equal'
    ELSE 'different'
  END AS state,
  created_date,
  account_tier
FROM comparisons
