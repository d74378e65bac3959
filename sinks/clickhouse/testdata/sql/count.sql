SELECT count()
FROM domains FINAL
WHERE project_id = {project:String}
-- project = "p1"
