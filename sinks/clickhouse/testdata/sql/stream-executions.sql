SELECT id, project_id, job, target, request, queued_at, tupleElement(current, 'attempt'), tupleElement(current, 'at'), tupleElement(current, 'state'), tupleElement(current, 'reason'), tupleElement(current, 'detail'), tupleElement(current, 'exited'), tupleElement(current, 'exit_code'), tupleElement(current, 'runner'), tupleElement(started, 'attempt'), tupleElement(started, 'at'), toUnixTimestamp64Milli(queued_at)
FROM executions FINAL
ORDER BY toUnixTimestamp64Milli(queued_at) DESC, id DESC
SETTINGS max_bytes_before_external_sort = 268435456
