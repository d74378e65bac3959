SELECT project_id, resource_id, tag
FROM resource_tags
WHERE project_id IN {projects:Array(String)}
  AND resource_id IN {ones:Array(String)}
GROUP BY project_id, resource_id, tag
HAVING tupleElement(max(state), 'value') = 1
ORDER BY project_id, resource_id, tag
LIMIT 100 BY project_id, resource_id
-- projects = ["p1"]
-- ones = ["0123"]
