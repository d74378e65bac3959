SELECT count()
FROM executions FINAL
WHERE tupleElement(current, 'state') = {state:String}
-- state = "running"
