SELECT execution_id, count(), toUInt64(0), toUInt64(0)
FROM finding_ids FINAL
WHERE project_id IN {projects:Array(String)}
  AND execution_id IN {ids:Array(String)}
GROUP BY execution_id
UNION ALL
SELECT execution_id, toUInt64(0), countIf(level = 3), countIf(level = 2)
FROM logs FINAL
WHERE execution_id IN {ids:Array(String)}
GROUP BY execution_id
-- projects = ["p1"]
-- ids = ["e1"]
