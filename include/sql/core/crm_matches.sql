-- Grain: one row per record of a person or a company in the ticket systems or in the CRM, and what it is matched with.
-- The rules run in their declared order; for a record of the ticket side the first that finds anything decides, and a
-- tie within it matches nothing. Deleted records are left out.
WITH records AS (
  {% for kind, key in (('customers', 'customer_id'), ('accounts', 'account_id')) %}
  {% for side in ('tickets', 'crm') %}
  SELECT
    '{{ kind }}' AS record_kind,
    '{{ side }}' AS side,
    records.{{ key }} AS record_key,
    SUBSTR(records.{{ key }}, POSITION(':' IN records.{{ key }}) + 1) AS own_id,
    records.external_id,
    {{ 'records.email' if kind == 'customers' else 'CAST(NULL AS VARCHAR)' }} AS email,
    {% if kind == 'customers' %}
    CAST(NULL AS DATE) AS started_date,
    COALESCE(records.created_at, first_versions.valid_from) AS created_at,
    COALESCE(accounts.tier, 'unlinked') AS account_tier
    {% else %}
    records.started_date,
    first_versions.valid_from AS created_at,
    COALESCE(records.tier, 'unknown') AS account_tier
    {% endif %}
  FROM staging.{{ kind }} AS records
  LEFT JOIN (
    SELECT
      {{ key }},
      MIN(valid_from) AS valid_from
    FROM staging.{{ kind }}_versions
    GROUP BY {{ key }}
  ) AS first_versions ON records.{{ key }} = first_versions.{{ key }}
  {% if kind == 'customers' %}
  LEFT JOIN core.account_links AS account_links ON records.customer_id = account_links.source_key
  LEFT JOIN core.accounts AS accounts ON account_links.account_id = accounts.account_id
  {% endif %}
  WHERE records.deleted_at IS NULL AND records.source IN ({{ sql.text_list(crm_sides[side]) }})
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
),

candidates AS (
  {% for kind in ('customers', 'accounts') %}
  {% set outer = loop %}
  {% for rule in crm_sync[kind].match %}
  {% for ours, theirs in ([('external_id', 'own_id'), ('own_id', 'external_id')] if rule == 'external_id' else [('email', 'email')]) %}
  SELECT
    ticket_records.record_kind,
    ticket_records.record_key,
    crm_records.record_key AS match_key,
    '{{ rule }}' AS rule,
    {{ outer.index0 * 10 + crm_sync[kind].match.index(rule) }} AS rule_order
  FROM records AS ticket_records
  INNER JOIN records AS crm_records
    ON ticket_records.record_kind = crm_records.record_kind AND ticket_records.{{ ours }} = crm_records.{{ theirs }}
  WHERE ticket_records.side = 'tickets' AND crm_records.side = 'crm' AND ticket_records.record_kind = '{{ kind }}'
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
  {% if not loop.last %}
  UNION ALL
  {% endif %}
  {% endfor %}
),

deciding_rules AS (
  SELECT
    record_kind,
    record_key,
    MIN(rule_order) AS rule_order
  FROM candidates
  GROUP BY record_kind, record_key
),

decided AS (
  SELECT
    candidates.record_kind,
    candidates.record_key,
    MIN(candidates.match_key) AS match_key,
    MIN(candidates.rule) AS rule,
    COUNT(DISTINCT candidates.match_key) = 1 AS is_matched
  FROM candidates
  INNER JOIN deciding_rules
    ON candidates.record_kind = deciding_rules.record_kind
    AND candidates.record_key = deciding_rules.record_key
    AND candidates.rule_order = deciding_rules.rule_order
  GROUP BY candidates.record_kind, candidates.record_key
),

both_sides AS (
  SELECT
    record_kind,
    'tickets' AS side,
    record_key,
    CASE WHEN is_matched THEN match_key END AS match_key,
    rule,
    CASE WHEN is_matched THEN 'matched' ELSE 'ambiguous' END AS state
  FROM decided
  UNION ALL
  SELECT
    record_kind,
    'crm' AS side,
    match_key AS record_key,
    MIN(record_key) AS match_key,
    MIN(rule) AS rule,
    'matched' AS state
  FROM decided
  WHERE is_matched
  GROUP BY record_kind, match_key
)

SELECT
  records.record_kind,
  records.side,
  records.record_key,
  both_sides.match_key,
  both_sides.rule,
  COALESCE(both_sides.state, 'unmatched') AS state,
  COALESCE(records.started_date, {{ sql.reporting_date('records.created_at', 'created_day') }}) AS created_date,
  records.account_tier
FROM records
LEFT JOIN both_sides
  ON records.record_kind = both_sides.record_kind
  AND records.side = both_sides.side
  AND records.record_key = both_sides.record_key
LEFT JOIN core.reporting_offsets AS created_day ON CAST(records.created_at AS DATE) = created_day.utc_date
