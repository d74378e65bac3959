SELECT project_id, max(id), min(first_seen), max(last_seen), max(deleted_at), domain, addr, port, 'tcp', path, tupleElement(max(merged_into), 'version'), tupleElement(max(merged_into), 'value'), max(looked_at)
FROM websites
WHERE project_id IN {projects:Array(String)}
  AND (domain, addr, port, path) IN (SELECT domain, addr, port, path FROM websites WHERE project_id IN {projects:Array(String)} AND tupleElement(merged_into, 'value') IN {into:Array(String)})
GROUP BY project_id, domain, addr, port, path
HAVING tupleElement(max(merged_into), 'value') IN {into:Array(String)}
-- projects = ["p1"]
-- into = ["0123"]
