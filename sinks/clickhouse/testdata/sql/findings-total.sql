SELECT count()
FROM finding_ids FINAL
WHERE project_id = {project:String}
  AND execution_id = {execution_id:String}
-- project = "p1"
-- execution_id = "e1"
