SELECT count()
FROM domains FINAL
WHERE project_id = {project:String}
  AND last_seen > deleted_at
-- project = "p1"
