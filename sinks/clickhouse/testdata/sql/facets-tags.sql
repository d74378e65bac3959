SELECT toUInt8(0) AS field, tag AS value, count() AS n, count() OVER () AS total
FROM resource_tags FINAL
WHERE project_id = {project:String}
  AND tupleElement(state, 'value') = 1
  AND startsWith(lowerUTF8(tag), {prefix:String})
  AND (project_id, resource_id) IN (
SELECT project_id, id
FROM hosts FINAL
WHERE project_id = {project:String}
  AND tupleElement(os, 'value') != ''
  AND last_seen > deleted_at)
GROUP BY tag
ORDER BY n DESC, value
LIMIT 10
-- project = "p1"
-- prefix = "c"
