SELECT count()
FROM finding_ids FINAL
WHERE project_id = {project_id:String}
  AND execution_id = {execution_id:String}
-- project_id = "p1"
-- execution_id = "e1"
