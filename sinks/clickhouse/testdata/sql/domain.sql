SELECT id, project_id, first_seen, last_seen, name
FROM domains FINAL
WHERE id = {id:String}
LIMIT 1
SETTINGS use_skip_indexes_if_final = 1
-- id = "0123"
