-- Grain: one row per key of another system that one declared rule links to exactly one account.
-- The rules run in their declared order; the first that finds anything decides, and a tie within it links nothing.
WITH candidates AS (
  {% for link in links.account_rules %}
  {% if not loop.first %}
  UNION ALL
  {% endif %}
  {% if link.rule == 'own_id' %}
  SELECT
    customers.customer_id AS source_key,
    accounts.account_id,
    '{{ link.id }}' AS rule,
    {{ loop.index }} AS rule_order
  FROM staging.customers AS customers
  INNER JOIN staging.accounts AS accounts ON customers.account_id = accounts.account_id
  {% elif link.rule == 'external_id' %}
  SELECT
    customers.customer_id AS source_key,
    accounts.account_id,
    '{{ link.id }}' AS rule,
    {{ loop.index }} AS rule_order
  FROM staging.customers AS customers
  INNER JOIN staging.accounts AS accounts ON customers.external_id = accounts.external_id
  {% elif link.rule == 'organisation' %}
  SELECT
    customers.customer_id AS source_key,
    accounts.account_id,
    '{{ link.id }}' AS rule,
    {{ loop.index }} AS rule_order
  FROM staging.customers AS customers
  INNER JOIN staging.accounts AS accounts ON SPLIT_PART(customers.organization_id, ':', 2) = accounts.external_id
  {% elif link.rule == 'email_hash' %}
  SELECT
    customers.customer_id AS source_key,
    twins.account_id,
    '{{ link.id }}' AS rule,
    {{ loop.index }} AS rule_order
  FROM staging.customers AS customers
  INNER JOIN staging.customers AS twins
    ON customers.email = twins.email AND customers.customer_id <> twins.customer_id
  WHERE twins.account_id IS NOT NULL
  {% elif link.rule == 'email_domain' %}
  SELECT
    customers.customer_id AS source_key,
    accounts.account_id,
    '{{ link.id }}' AS rule,
    {{ loop.index }} AS rule_order
  FROM staging.customers AS customers
  INNER JOIN staging.accounts AS accounts ON customers.email_domain = accounts.email_domain
  WHERE customers.email_domain NOT IN ({{ sql.text_list(links.public_email_domains) }})
  {% endif %}
  {% endfor %}
),

deciding_rules AS (
  SELECT
    source_key,
    MIN(rule_order) AS rule_order
  FROM candidates
  GROUP BY source_key
)

SELECT
  candidates.source_key,
  MIN(candidates.account_id) AS account_id,
  MIN(candidates.rule) AS rule,
  TIMESTAMP '1970-01-01 00:00:00' AS valid_from,
  TIMESTAMP '2070-01-01 00:00:00' AS valid_to
FROM candidates
INNER JOIN deciding_rules
  ON candidates.source_key = deciding_rules.source_key AND candidates.rule_order = deciding_rules.rule_order
GROUP BY candidates.source_key
HAVING COUNT(DISTINCT candidates.account_id) = 1
