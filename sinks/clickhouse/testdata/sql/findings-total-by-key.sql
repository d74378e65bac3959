SELECT uniqExact(id)
FROM findings
WHERE project_id = {project_id:String}
  AND key = {key:String}
-- project_id = "p1"
-- key = "K"
