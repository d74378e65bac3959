SELECT id, project_id, first_seen, last_seen, name
FROM domains FINAL
WHERE project_id = {project:String}
  AND positionCaseInsensitiveUTF8(name, {text:String}) > 0
  AND project_id >= {after0:String}
  AND (project_id, name) > ({after0:String}, {after1:String})
ORDER BY project_id, name
LIMIT 51
-- project = "p1"
-- text = "EXA"
-- after0 = "p1"
-- after1 = "a.example"
