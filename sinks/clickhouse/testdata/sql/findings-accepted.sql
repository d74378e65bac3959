SELECT id, min(at)
FROM finding_ids
WHERE project_id IN {projects:Array(String)}
  AND execution_id IN {executions:Array(String)}
  AND id IN {ids:Array(String)}
GROUP BY id
-- projects = ["p1"]
-- executions = ["e1"]
-- ids = ["f1"]
