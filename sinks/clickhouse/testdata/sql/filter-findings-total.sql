SELECT uniqExact(id)
FROM findings
WHERE project_id = {project:String}
  AND (key = {f0:String} AND (position(said, {f2:String}) > 0 AND arrayExists(x -> JSONExtractString(x, 'key') = {f3:String} AND ifNull(toFloat64OrNull(if(JSONType(x, 'data') = 'String', JSONExtractString(x, 'data'), JSONExtractRaw(x, 'data'))) > {f1:Float64}, 0), JSONExtractArrayRaw(fields))))
-- project = "p1"
-- f0 = "Vuln"
-- f1 = 7
-- f2 = "\xffSCORE\xfe"
-- f3 = "score"
