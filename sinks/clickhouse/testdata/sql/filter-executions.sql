SELECT id, project_id, job, target, request, queued_at, tupleElement(current, 'attempt'), tupleElement(current, 'at'), tupleElement(current, 'state'), tupleElement(current, 'reason'), tupleElement(current, 'detail'), tupleElement(current, 'exited'), tupleElement(current, 'exit_code'), tupleElement(current, 'runner'), tupleElement(started, 'attempt'), tupleElement(started, 'at'), toUnixTimestamp64Milli(queued_at)
FROM executions FINAL
WHERE (has(['succeeded', 'failed', 'stopped', 'timed_out', 'lost'], tupleElement(current, 'state'))) AND (NOT (tupleElement(current, 'state') = {f0:String})) AND (((has(['succeeded', 'failed', 'stopped', 'timed_out', 'lost'], tupleElement(current, 'state')) AND (tupleElement(started, 'attempt') > 0 AND tupleElement(started, 'attempt') = tupleElement(current, 'attempt'))) AND (toUnixTimestamp64Milli(tupleElement(current, 'at')) - toUnixTimestamp64Milli(tupleElement(started, 'at'))) >= {f1:Int64})) AND ((tupleElement(current, 'exited') = 1 AND tupleElement(current, 'exit_code') >= {f2:Int64})) AND (lowerUTF8(job) LIKE {f3:String}) AND ((position(request, {f5:String}) > 0 AND JSONExtractString(request, 'cause', 'parentId') = {f4:String})) AND (project_id = {f6:String})
ORDER BY toUnixTimestamp64Milli(queued_at) DESC, id DESC
LIMIT 51
SETTINGS use_skip_indexes_if_final = 1
-- f0 = "succeeded"
-- f1 = 300001
-- f2 = 1
-- f3 = "scan%"
-- f4 = "0123456789abcdef01234567"
-- f5 = "0123456789abcdef01234567"
-- f6 = "0123456789abcdef01234567"
