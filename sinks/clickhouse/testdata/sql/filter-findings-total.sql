SELECT uniqExact(id)
FROM findings
WHERE project_id = {project:String}
  AND (key = {f0:String} AND position(fields, {f1:String}) > 0 AND arrayExists(x -> JSONExtractString(x, 'key') = {f2:String} AND ifNull(toFloat64OrNull(if(JSONType(x, 'data') = 'String', JSONExtractString(x, 'data'), JSONExtractRaw(x, 'data'))) > {f3:Float64}, 0), JSONExtractArrayRaw(fields)))
-- project = "p1"
-- f0 = "Vuln"
-- f1 = "\"key\":\"score\""
-- f2 = "score"
-- f3 = 7
