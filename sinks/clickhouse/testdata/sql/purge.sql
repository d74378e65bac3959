DELETE FROM logs WHERE project_id = {project:String}
-- project = "p1"
