-- Grain: none; a condition on one ticket. Every condition that is given has to hold; within one, any of its words.
-- `columns` names, per condition, the column to look at. Tags are looked for in tag_list: with a comma on each side.
{%- macro ticket_conditions(sql, asked, columns) -%}
TRUE
{%- for condition, column in columns.items() if asked[condition] %} AND {{ column }} IN (
{{- sql.text_list(asked[condition]) }}){% endfor %}
{%- if asked.tag %} AND (FALSE
{%- for tag in asked.tag %} OR POSITION({{ sql.text_list([',' ~ tag ~ ',']) }} IN tag_list) > 0{% endfor %})
{%- endif %}
{%- endmacro %}
