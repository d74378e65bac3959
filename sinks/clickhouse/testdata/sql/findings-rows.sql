SELECT count()
FROM findings
WHERE project_id = {project:String}
-- project = "p1"
