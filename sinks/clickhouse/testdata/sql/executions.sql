SELECT id, project_id, job, target, request, queued_at, tupleElement(current, 'attempt'), tupleElement(current, 'at'), tupleElement(current, 'state'), tupleElement(current, 'reason'), tupleElement(current, 'detail'), tupleElement(current, 'exited'), tupleElement(current, 'exit_code'), tupleElement(current, 'runner'), tupleElement(started, 'attempt'), tupleElement(started, 'at'), toUnixTimestamp64Milli(queued_at)
FROM executions FINAL
WHERE project_id = {project:String}
  AND tupleElement(current, 'state') = {state:String}
  AND toUnixTimestamp64Milli(queued_at) <= {after0:Int64}
  AND (toUnixTimestamp64Milli(queued_at), id) < ({after0:Int64}, {after1:String})
ORDER BY toUnixTimestamp64Milli(queued_at) DESC, id DESC
LIMIT 51
SETTINGS use_skip_indexes_if_final = 1
-- project = "p1"
-- state = "running"
-- after0 = "1700000000000"
-- after1 = "e1"
