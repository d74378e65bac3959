SELECT id, project_id, job, target, request, queued_at, tupleElement(current, 'attempt'), tupleElement(current, 'at'), tupleElement(current, 'state'), tupleElement(current, 'reason'), tupleElement(current, 'detail'), tupleElement(current, 'exited'), tupleElement(current, 'exit_code'), tupleElement(current, 'runner'), tupleElement(started, 'attempt'), tupleElement(started, 'at')
FROM executions FINAL
WHERE project_id = {project:String}
  AND tupleElement(current, 'state') = {state:String}
  AND (queued_at, id) < (fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {after:String})
ORDER BY queued_at DESC, id DESC
LIMIT 51
SETTINGS use_skip_indexes_if_final = 1
-- project = "p1"
-- state = "running"
-- at = "1700000000000"
-- after = "e1"
