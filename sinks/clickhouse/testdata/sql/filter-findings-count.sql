SELECT count()
FROM findings
WHERE project_id = {project:String}
  AND key = {key:String}
-- project = "p1"
-- key = "K"
