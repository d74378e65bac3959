SELECT job, count() AS n, sumMap(map(tupleElement(current, 'state'), toUInt64(1))) AS by_state, quantilesExactIf(0.5, 0.95, 1)(toFloat64((toUnixTimestamp64Milli(tupleElement(current, 'at')) - toUnixTimestamp64Milli(tupleElement(started, 'at')))) / 1000, has(['succeeded', 'failed', 'stopped', 'timed_out', 'lost'], tupleElement(current, 'state')) AND (tupleElement(started, 'attempt') > 0 AND tupleElement(started, 'attempt') = tupleElement(current, 'attempt'))) AS parts, sumIf(toFloat64((toUnixTimestamp64Milli(tupleElement(current, 'at')) - toUnixTimestamp64Milli(tupleElement(started, 'at')))) / 1000, has(['succeeded', 'failed', 'stopped', 'timed_out', 'lost'], tupleElement(current, 'state')) AND (tupleElement(started, 'attempt') > 0 AND tupleElement(started, 'attempt') = tupleElement(current, 'attempt'))) AS seconds
FROM executions FINAL
WHERE project_id = {project:String}
  AND lowerUTF8(job) LIKE {f0:String}
  AND queued_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
GROUP BY job
ORDER BY seconds DESC, n DESC, job
LIMIT 20
-- project = "p1"
-- f0 = "scan%"
-- since = "1795608000000"
