SELECT id, project_id, first_seen, last_seen, tupleElement(blocked, 'value'), tupleElement(blocked, 'version'), tupleElement(note, 'value'), tupleElement(owner, 'value'), name
FROM domains FINAL
WHERE id = {id:String}
  AND last_seen > deleted_at
LIMIT 1
SETTINGS use_skip_indexes_if_final = 1
-- id = "0123"
