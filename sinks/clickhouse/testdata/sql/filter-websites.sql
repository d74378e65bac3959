SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), domain, addr, port, path, tupleElement(max(ssl), 'version'), tupleElement(max(ssl), 'value'), tupleElement(max(status), 'value'), tupleElement(max(title), 'value'), tupleElement(max(server), 'value'), tupleElement(max(certificate), 'value'), max(looked_at), tupleElement(max(merged_into), 'value'), tupleElement(max(screenshot), 'value'), groupUniqArrayArray(technologies), maxMap(technologies_said), max(deleted_at)
FROM websites
WHERE project_id = {project:String}
  AND (project_id, domain, addr, port, path) IN (
SELECT project_id, domain, addr, port, path
FROM websites FINAL
WHERE project_id = {project:String}
  AND (arrayExists(x -> lowerUTF8(x) IN {f0:Array(String)}, arrayDistinct(arrayConcat(if(toUnixTimestamp64Milli(deleted_at) = 0, technologies, []), mapKeys(mapFilter((k, v) -> v > toUnixTimestamp64Milli(deleted_at), technologies_said)))))) AND ((JSONExtractString(tupleElement(certificate, 'value'), 'notAfter') > '0001-01-02' AND (JSONExtractString(tupleElement(certificate, 'value'), 'notAfter') <= {f1:String}))) AND (if(toInt64(bitShiftRight(tupleElement(ssl, 'version'), 20)) > toUnixTimestamp64Milli(deleted_at), tupleElement(ssl, 'value') = 1, port = 443)) AND (NOT (tupleElement(merged_into, 'value') != '')) AND (NOT ((JSONExtractString(tupleElement(certificate, 'value'), 'notAfter') > '0001-01-02' AND JSONExtractString(tupleElement(certificate, 'value'), 'notAfter') < {f2:String}))) AND ((tupleElement(status, 'value') > 0 AND tupleElement(status, 'value') >= {f3:Int64})) AND ((concat('project:', project_id, ';host:', if((addr >= toIPv6('::ffff:0.0.0.0') AND addr <= toIPv6('::ffff:255.255.255.255')), substring(IPv6NumToString(addr), 8), IPv6NumToString(addr)), ';port:', toString(port), ';protocol:tcp;domain:', domain, ';path:', path)) IN (
SELECT correlation_key
FROM findings
WHERE project_id = {project:String} AND (key = {f4:String} AND (position(said, {f6:String}) > 0 AND arrayExists(x -> JSONExtractString(x, 'key') = {f7:String} AND ifNull(toFloat64OrNull(if(JSONType(x, 'data') = 'String', JSONExtractString(x, 'data'), JSONExtractRaw(x, 'data'))) > {f5:Float64}, 0), JSONExtractArrayRaw(fields)))))) AND ((positionCaseInsensitiveUTF8(address, {f8:String}) > 0 OR positionCaseInsensitiveUTF8(tupleElement(title, 'value'), {f8:String}) > 0)) AND ((positionCaseInsensitiveUTF8(address, {f9:String}) > 0 OR positionCaseInsensitiveUTF8(tupleElement(title, 'value'), {f9:String}) > 0))
  AND last_seen > deleted_at
ORDER BY project_id, domain, addr, port, path
LIMIT 51)
GROUP BY project_id, domain, addr, port, path
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, domain, addr, port, path
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- project = "p1"
-- f0 = ["wordpress" "drupal"]
-- f1 = "2026-12-25T11:59:59Z"
-- f2 = "2026-11-25T12:00:00Z"
-- f3 = 400
-- f4 = "Vuln"
-- f5 = 7
-- f6 = "\xffSCORE\xfe"
-- f7 = "score"
-- f8 = "sign in"
-- f9 = "www"
