SELECT id, project_id, first_seen, last_seen, tupleElement(blocked, 'value'), tupleElement(blocked, 'version'), tupleElement(note, 'value'), tupleElement(owner, 'value'), name
FROM domains FINAL
WHERE project_id = {project:String}
  AND id IN {ids:Array(String)}
  AND last_seen > deleted_at
SETTINGS use_skip_indexes_if_final = 1
-- project = "p1"
-- ids = ["0123"]
