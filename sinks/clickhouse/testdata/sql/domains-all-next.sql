SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), name
FROM domains
WHERE (project_id, name) IN (
SELECT project_id, name
FROM domains FINAL
WHERE project_id >= {after0:String}
  AND (project_id, name) > ({after0:String}, {after1:String})
  AND last_seen > deleted_at
ORDER BY project_id, name
LIMIT 51)
GROUP BY project_id, name
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, name
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- after0 = "p1"
-- after1 = "a.example"
