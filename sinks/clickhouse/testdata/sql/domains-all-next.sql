SELECT id, project_id, first_seen, last_seen, name
FROM domains FINAL
WHERE project_id >= {after0:String}
  AND (project_id, name) > ({after0:String}, {after1:String})
ORDER BY project_id, name
LIMIT 51
-- after0 = "p1"
-- after1 = "a.example"
