SELECT id, project_id, first_seen, last_seen, name
FROM domains FINAL
WHERE project_id = {project:String}
ORDER BY project_id, name
LIMIT 51
-- project = "p1"
