DELETE FROM logs_local ON CLUSTER `main` WHERE project_id = {project:String}
-- project = "p1"
