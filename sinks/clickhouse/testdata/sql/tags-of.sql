SELECT project_id, resource_id, tag
FROM resource_tags
WHERE project_id IN {projects:Array(String)}
  AND resource_id IN {ids:Array(String)}
GROUP BY project_id, resource_id, tag
HAVING tupleElement(max(state), 'value') = 1
-- projects = ["p1"]
-- ids = ["0123"]
