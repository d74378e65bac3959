SELECT project_id, resource_id, tag
FROM resource_tags FINAL
WHERE project_id = {project:String}
  AND tupleElement(state, 'value') = 1
ORDER BY project_id, resource_id, tag
LIMIT 200001
-- project = "p1"
