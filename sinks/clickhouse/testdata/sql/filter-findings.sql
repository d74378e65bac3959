SELECT id, project_id, correlation_key, at, source, execution_id, job, user_id, root_id, depth, type, key, name, tag, ssl, domain, ip, mask, port, protocol, path, fields
FROM findings
WHERE project_id = {project:String}
  AND (lowerUTF8(key) LIKE {f0:String}) AND ((ip != '' AND (toIPv6OrDefault(ip) >= {f1:IPv6} AND toIPv6OrDefault(ip) <= {f2:IPv6}))) AND ((position(fields, {f3:String}) > 0 AND arrayExists(x -> JSONExtractString(x, 'key') = {f4:String} AND lowerUTF8(if(JSONType(x, 'data') = 'String', JSONExtractString(x, 'data'), JSONExtractRaw(x, 'data'))) IN {f5:Array(String)}, JSONExtractArrayRaw(fields)))) AND ((at >= fromUnixTimestamp64Milli({f6:Int64}, 'UTC') AND at <= fromUnixTimestamp64Milli({f7:Int64}, 'UTC'))) AND (((positionCaseInsensitiveUTF8(name, {f8:String}) > 0 OR positionCaseInsensitiveUTF8(key, {f8:String}) > 0) OR positionCaseInsensitive(fields, {f9:String}) > 0 AND arrayExists(x -> lowerUTF8(if(JSONType(x, 'data') = 'String', JSONExtractString(x, 'data'), JSONExtractRaw(x, 'data'))) LIKE {f10:String}, JSONExtractArrayRaw(fields))))
  AND at >= fromUnixTimestamp64Milli({at:Int64}, 'UTC')
  AND (at, id) > (fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {id:String})
ORDER BY project_id, at, id
LIMIT 51
-- project = "p1"
-- f0 = "vuln%"
-- f1 = "::ffff:10.0.0.0"
-- f2 = "::ffff:10.255.255.255"
-- f3 = "\"key\":\"severity\""
-- f4 = "severity"
-- f5 = ["high" "critical"]
-- f6 = 1767225600000
-- f7 = 1769903999999
-- f8 = "login"
-- f9 = "login"
-- f10 = "%login%"
-- at = "1700000000000"
-- id = "f1"
